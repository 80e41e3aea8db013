/** node/inbound.ts: stdin when it is a pipe, a socket or a terminal.
 *  Promise    no byte is taken from the host before the guest asks; a process that reads the same pipe later loses none
 *             but the one byte that a poll looked at.
 *  Algorithm  reading is a non-blocking read(2). Node has no "tell me when readable", so to wait we let a stream read
 *             exactly one byte (reopen.ts) and put it in front of the next read.
 *
 *                 idle ── watch ──> armed ── one byte ──> held ── read ──> idle
 *                                     └───── end ───────> ended (a terminal's end is told once, then reading goes on) */
import fs from "node:fs";
import type net from "node:net";
import { Errno } from "../../core/abi/errno.js";
import { Listeners } from "../files/handle.js";
import type { HostStream, HostTerminal } from "../files/host.js";
import type { Stat } from "../files/stat.js";
import { counted, toErrno, toStat } from "./hostfs.js";
import { byteStream, reopen, type StreamKind } from "./reopen.js";

export class InboundStream implements HostStream {
  private readonly own: number | undefined;
  private readonly changed = new Listeners();
  private held: number | undefined;
  private ended = false;
  private error = 0;
  private stream: net.Socket | undefined;
  private readers = 0;

  constructor(
    private readonly fd: number,
    private readonly kind: StreamKind,
    private readonly access: number,
    readonly terminal: HostTerminal | undefined,
  ) {
    this.own = kind === "socket" ? undefined : reopen(fd, access);
  }

  stat(): Stat {
    return toStat(fs.fstatSync(this.fd, { bigint: true }));
  }

  read(into: Uint8Array): number {
    if (this.held === undefined) return this.readNow(into);
    into[0] = this.held;
    this.held = undefined;
    const more = into.length > 1 && !this.ended ? this.readHost(into.subarray(1)) : 0;
    return 1 + Math.max(0, more);
  }

  private readNow(into: Uint8Array): number {
    if (this.error) return -this.error;
    if (!this.ended) return this.readHost(into);
    if (this.kind === "terminal") this.ended = false;
    return 0;
  }

  private readHost(into: Uint8Array): number {
    // Without a description of our own the stream is what makes the descriptor non-blocking.
    if (this.own === undefined) this.stream ??= this.makeStream();
    return counted(() => fs.readSync(this.own ?? this.fd, into, 0, into.length, null));
  }

  /** Writing to the terminal that stdin is. */
  write(from: Uint8Array): number {
    if (this.kind !== "terminal") return -Errno.EBADF;
    return counted(() => fs.writeSync(this.own ?? this.fd, from, 0, from.length, null));
  }

  readable(): boolean {
    if (this.held !== undefined || this.ended || this.error) return true;
    const one = new Uint8Array(1);
    const count = this.readHost(one);
    if (count === -Errno.EAGAIN) return false;
    if (count > 0) this.held = one[0];
    else if (count === 0) this.ended = true;
    else this.error = -count;
    return true;
  }

  writable(): boolean {
    return this.kind === "terminal";
  }

  /** Only the byte looked at is known: the host does not say how many are behind it. */
  available(): number {
    return this.readable() && this.held !== undefined ? 1 : 0;
  }

  watch(reading: boolean, listener: () => void): () => void {
    const leave = this.changed.add(listener);
    if (!reading) return leave;
    this.readers++;
    this.arm();
    return () => {
      leave();
      if (--this.readers === 0) this.stream?.pause();
    };
  }

  private arm(): void {
    if (this.held !== undefined || this.ended || this.error) return;
    this.stream ??= this.makeStream();
    this.stream.resume();
  }

  private makeStream(): net.Socket {
    const fd = this.own === undefined ? this.fd : (reopen(this.own, this.access) ?? this.own);
    const stream = byteStream(fd, this.kind, (byte) => {
      this.held = byte;
      this.changed.tell();
      // A waiter whose turn it was not (a held file, another thread was quicker) still waits.
      if (this.readers > 0) queueMicrotask(() => this.readers > 0 && this.arm());
    });
    stream.on("end", () => this.end(0));
    stream.on("error", (error) => this.end(toErrno(error)));
    return stream;
  }

  private end(error: number): void {
    this.stream?.destroy();
    this.stream = undefined;
    // The other end of a terminal going away is its end, as for any reader of it.
    this.error = error === Errno.EIO ? 0 : error;
    this.ended = true;
    this.changed.tell();
  }

  close(): void {
    this.stream?.destroy();
    this.stream = undefined;
    this.ended = true;
    if (this.own !== undefined) fs.closeSync(this.own);
  }

  async drained(): Promise<void> {
    this.stream?.destroy();
    this.stream = undefined;
  }
}
