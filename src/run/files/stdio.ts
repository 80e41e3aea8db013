/** files/stdio.ts: the guest's descriptors 0, 1 and 2 over what the host gave Faultline.
 *  A regular file (`< in`, `> out`) keeps its position in the host's descriptor, which a shell's next command shares:
 *  bytes the guest did not read are still there. Only a guest that seeks gets a position of its own.
 *  Anything else is a stream that never blocks (host.ts). */
import { Handle, Listeners } from "./handle.js";
import type { HostFs, HostStdio, HostStream, HostTerminal } from "./host.js";
import { hostHandle, hostInode } from "./hostfile.js";
import { Open, Poll } from "./linux.js";
import type { Stat } from "./stat.js";

export function stdioHandle(host: HostFs, stdio: HostStdio): Handle {
  if (stdio.kind === "stream") return new StreamHandle(stdio.stream);
  return new StdFileHandle(
    host,
    stdio.fd,
    stdio.tell,
    hostInode(host.fstat(stdio.fd)),
    (stdio.flags & Open.Append) !== 0,
  );
}

export class StreamHandle extends Handle {
  /** Read, but not received by the guest; who waits is told when there is something. */
  private back = new Uint8Array(0);
  private readonly returned = new Listeners();

  constructor(private readonly stream: HostStream) {
    super();
  }
  override get terminal(): HostTerminal | undefined {
    return this.stream.terminal;
  }
  stat(): Stat {
    return this.stream.stat();
  }
  override read(into: Uint8Array): number {
    if (into.length === 0 || this.back.length === 0) return into.length === 0 ? 0 : this.stream.read(into);
    const count = Math.min(into.length, this.back.length);
    into.set(this.back.subarray(0, count));
    this.back = this.back.slice(count);
    return count;
  }
  override giveBack(read: Uint8Array, kept: number): number {
    const rest = read.subarray(kept);
    const back = new Uint8Array(rest.length + this.back.length);
    back.set(rest);
    back.set(this.back, rest.length);
    this.back = back;
    this.returned.tell();
    return kept;
  }
  override write(from: Uint8Array): number {
    return from.length === 0 ? 0 : this.stream.write(from);
  }
  override available(): number {
    return this.back.length + this.stream.available();
  }
  override poll(): number {
    return (this.back.length || this.stream.readable() ? Poll.In : 0) | (this.stream.writable() ? Poll.Out : 0);
  }
  override watch(events: number, listener: () => void): () => void {
    const stops = [
      this.returned.add(listener),
      this.stream.watch((events & (Poll.In | Poll.ReadNormal)) !== 0, listener),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }
  protected override dispose(): void {
    this.stream.close();
  }
}

/** A regular file that is the host's stdin, stdout or stderr. */
class StdFileHandle extends Handle {
  /** undefined: the host descriptor's. */
  private own: number | undefined;

  constructor(
    private readonly host: HostFs,
    private readonly fd: number,
    private readonly hostPosition: () => number,
    private readonly file: string,
    private readonly appending: boolean,
  ) {
    super();
  }
  override get identity(): unknown {
    return this.file;
  }
  override get appends(): boolean {
    return this.appending;
  }
  /** A page has its place: never through a descriptor that appends. */
  override forWriteback(): Handle {
    if (!this.appending) return this.retain();
    return hostHandle(this.host, this.host.reopen(this.fd, Open.ReadWrite), Open.ReadWrite);
  }
  override get seekable(): boolean {
    return true;
  }
  override get regular(): boolean {
    return true;
  }
  override get keepsPosition(): boolean {
    return true;
  }
  override tell(): number {
    return this.own ?? this.hostPosition();
  }
  override seek(to: number): void {
    if (to !== this.tell()) this.own = to;
  }
  stat(): Stat {
    return this.host.fstat(this.fd);
  }
  override read(into: Uint8Array, at: number): number {
    return this.move(at, (position) => this.host.read(this.fd, into, position));
  }
  override write(from: Uint8Array, at: number): number {
    return this.move(at, (position) => this.host.write(this.fd, from, position));
  }
  private move(at: number, run: (position: number) => number): number {
    if (at >= 0) return run(at);
    const count = run(this.own ?? -1);
    if (this.own !== undefined && count > 0) this.own += count;
    return count;
  }
  override truncate(size: number): void {
    this.host.ftruncate(this.fd, size);
  }
  override sync(dataOnly: boolean): void {
    this.host.fsync(this.fd, dataOnly);
  }
  override chmod(mode: number): void {
    this.host.fchmod(this.fd, mode);
  }
  override utimes(accessNs: bigint, modifyNs: bigint): void {
    this.host.futimes(this.fd, accessNs, modifyNs);
  }
}
