/** files/hostfile.ts: open directories and regular files of the host. Positions are the guest's; the host descriptor's own
 *  is not used. */
import { Handle } from "./handle.js";
import type { HostFs } from "./host.js";
import { Mode, Open } from "./linux.js";
import type { Stat } from "./stat.js";

/** Takes over a host descriptor that was opened with these flags. */
export function hostHandle(host: HostFs, fd: number, flags: number): Handle {
  const stat = host.fstat(fd);
  const directory = (stat.mode & Mode.TypeMask) === Mode.Directory;
  if (directory) return new HostDirHandle(host, fd);
  return new HostFileHandle(host, fd, hostInode(stat), (flags & Open.Append) !== 0);
}

/** Which file of the host it is, as long as it is open. */
export const hostInode = ({ dev, ino }: Stat): string => `${dev}:${ino}`;

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
    private readonly file: string,
    /** The host descriptor appends: F_SETFL cannot clear O_APPEND. */
    private readonly appending: boolean,
  ) {
    super(host, fd);
  }
  override get identity(): unknown {
    return this.file;
  }
  /** A page has its place: never through a descriptor that appends. */
  override forWriteback(): Handle {
    if (!this.appending) return this.retain();
    return new HostFileHandle(this.host, this.host.reopen(this.fd, Open.ReadWrite), this.file, false);
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
