/** node/outbound.ts: stdout and stderr when they are pipes, sockets or terminals.
 *  Promise    every byte whose write the guest was told of leaves, in the order of the writes, stdout and stderr on one
 *             pipe included; the main thread never blocks, however slow the reader.
 *  Algorithm  writing is a non-blocking write(2). When the pipe is full, at most PIPE_BUF bytes are copied and given to a
 *             stream of Node's, which knows when there is room again; until they have gone nothing else is written. So the
 *             pipe is 4 KiB longer than the host's. A terminal has no such stream (Node writes to it blocking): there
 *             the waiting is a timer, 1 to 16 ms. */
import fs from "node:fs";
import net from "node:net";
import { Errno } from "../../core/abi/errno.js";
import { Listeners } from "../files/handle.js";
import type { HostStream, HostTerminal } from "../files/host.js";
import { PIPE_BUF } from "../files/linux.js";
import type { Stat } from "../files/stat.js";
import { counted, toErrno, toStat } from "./hostfs.js";
import { reopen, type StreamKind } from "./reopen.js";

const RETRY_MIN_MS = 1;
const RETRY_MAX_MS = 16;

/** One pipe, socket or terminal, shared by the descriptors that lead to it. */
class Outlet {
  readonly changed = new Listeners();
  private readonly own: number | undefined;
  private stream: net.Socket | undefined;
  /** Bytes given to the stream that have not left. */
  private inFlight = 0;
  private error = 0;
  users = 0;

  constructor(
    private readonly fd: number,
    readonly kind: StreamKind,
    private readonly access: number,
  ) {
    this.own = kind === "socket" ? undefined : reopen(fd, access);
  }

  get ready(): boolean {
    return this.inFlight === 0;
  }

  write(from: Uint8Array): number {
    if (this.error) return -this.error;
    if (!this.ready) return -Errno.EAGAIN;
    // Without a description of our own the stream is what makes the descriptor non-blocking.
    if (this.own === undefined) this.stream ??= this.makeStream();
    const count = counted(() => fs.writeSync(this.own ?? this.fd, from, 0, from.length, null));
    return count === -Errno.EAGAIN && this.kind !== "terminal" ? this.handOver(from) : count;
  }

  private handOver(from: Uint8Array): number {
    const copy = from.slice(0, PIPE_BUF);
    this.stream ??= this.makeStream();
    this.inFlight = copy.length;
    this.stream.write(copy, (error) => {
      this.inFlight = 0;
      if (error) this.fail(toErrno(error));
      this.changed.tell();
    });
    return copy.length;
  }

  private makeStream(): net.Socket {
    const fd = this.own === undefined ? this.fd : (reopen(this.own, this.access) ?? this.own);
    const stream = new net.Socket({ fd, readable: false, writable: true });
    stream.on("error", (error) => this.fail(toErrno(error)));
    return stream;
  }

  /** Whatever ends a pipe ends it for the writer as EPIPE does. */
  private fail(errno: number): void {
    this.error = errno === Errno.EIO ? Errno.EPIPE : errno;
    this.inFlight = 0;
    this.changed.tell();
  }

  drained(): Promise<void> {
    if (this.ready) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.changed.add(() => {
        if (!this.ready) return;
        stop();
        resolve();
      });
    });
  }

  destroy(): void {
    if (this.own !== undefined) fs.closeSync(this.own);
    this.stream?.destroy();
    this.stream = undefined;
  }
}

/** By device and inode: two descriptors on one pipe keep their order. */
const outlets = new Map<string, Outlet>();

export class OutboundStream implements HostStream {
  private readonly outlet: Outlet;
  private readonly key: string;

  constructor(
    private readonly fd: number,
    kind: StreamKind,
    access: number,
    readonly terminal: HostTerminal | undefined,
  ) {
    const { dev, ino } = this.stat();
    this.key = `${dev}:${ino}`;
    this.outlet = outlets.get(this.key) ?? new Outlet(fd, kind, access);
    this.outlet.users++;
    outlets.set(this.key, this.outlet);
  }

  stat(): Stat {
    return toStat(fs.fstatSync(this.fd, { bigint: true }));
  }

  /** Only a terminal could be read here; input comes through stdin. */
  read(): number {
    return -Errno.EIO;
  }

  write(from: Uint8Array): number {
    return this.outlet.write(from);
  }

  readable(): boolean {
    return false;
  }

  writable(): boolean {
    return this.outlet.ready;
  }

  available(): number {
    return 0;
  }

  watch(_reading: boolean, listener: () => void): () => void {
    const leave = this.outlet.changed.add(listener);
    if (this.outlet.kind !== "terminal") return leave;
    let timer: NodeJS.Timeout;
    const tick = (wait: number): void => {
      timer = setTimeout(() => {
        tick(Math.min(wait * 2, RETRY_MAX_MS));
        listener();
      }, wait);
    };
    tick(RETRY_MIN_MS);
    return () => {
      clearTimeout(timer);
      leave();
    };
  }

  /** The guest is done with it: what is on its way still goes. */
  close(): void {
    this.outlet.drained().then(() => {
      if (--this.outlet.users > 0) return;
      outlets.delete(this.key);
      this.outlet.destroy();
    });
  }

  drained(): Promise<void> {
    return this.outlet.drained();
  }
}
