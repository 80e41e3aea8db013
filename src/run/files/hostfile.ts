/** files/hostfile.ts: open directories and regular files of the host. Positions are the guest's; the host descriptor's own
 *  is not used. */
import { Handle } from "./handle.js";
import type { HostFs } from "./host.js";
import { Mode, Open } from "./linux.js";
import type { Stat } from "./stat.js";

/** Takes over a host descriptor that was opened with these flags. */
export function hostHandle(host: HostFs, fd: number, flags: number): Handle {
  const directory = (host.fstat(fd).mode & Mode.TypeMask) === Mode.Directory;
  return directory ? new HostDirHandle(host, fd) : new HostFileHandle(host, fd, (flags & Open.Append) !== 0);
}

class HostDirHandle extends Handle {
  constructor(
    protected readonly host: HostFs,
    protected readonly fd: number,
  ) {
    super();
  }
  protected override dispose(): void {
    this.host.close(this.fd);
  }
  stat(): Stat {
    return this.host.fstat(this.fd);
  }
  override sync(dataOnly: boolean): void {
    this.host.fsync(this.fd, dataOnly);
  }
  override chmod(mode: number): void {
    this.host.fchmod(this.fd, mode);
  }
  override chown(uid: number, gid: number): void {
    this.host.fchown(this.fd, uid, gid);
  }
  override utimes(accessNs: bigint, modifyNs: bigint): void {
    this.host.futimes(this.fd, accessNs, modifyNs);
  }
}

class HostFileHandle extends HostDirHandle {
  constructor(
    host: HostFs,
    fd: number,
    /** The host descriptor appends: F_SETFL cannot clear O_APPEND. */
    private readonly appending: boolean,
  ) {
    super(host, fd);
  }
  override get appends(): boolean {
    return this.appending;
  }
  override get seekable(): boolean {
    return true;
  }
  override get regular(): boolean {
    return true;
  }
  override read(into: Uint8Array, at: number): number {
    return this.host.read(this.fd, into, at);
  }
  override write(from: Uint8Array, at: number): number {
    return this.host.write(this.fd, from, at);
  }
  override truncate(size: number): void {
    this.host.ftruncate(this.fd, size);
  }
}
