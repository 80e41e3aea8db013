/** files/hostdir.ts: a directory of the host (or one file of it) as part of the guest's tree.
 *  A node is a path below the mount's top; the walker made it name by name, so it leads nowhere else. The path of a
 *  directory that is open or somebody's working directory is kept true when the guest renames it or one above it, and
 *  goes dead when it is removed.
 *  Permissions are the host's: it answers as it would answer the user who started Faultline.
 *  Race     between the walker's lstat and the call another *host* process could put a link in the place of a directory;
 *           the guest cannot, for a call runs whole on the main thread. */
import { Errno } from "../../core/abi/errno.js";
import { Fail, fail } from "./fail.js";
import { Handle } from "./handle.js";
import type { HostFs } from "./host.js";
import { Mode, Open } from "./linux.js";
import type { FsStat, Stat } from "./stat.js";
import { type Credentials, type Entry, Vnode } from "./vnode.js";

export class HostTree {
  readonly held = new Map<HostNode, number>();

  constructor(
    readonly host: HostFs,
    /** Absolute host path, links resolved, without a slash at its end ("" is the host's root). */
    readonly top: string,
  ) {}

  get root(): HostNode {
    return new HostNode(this, "");
  }
}

export class HostNode extends Vnode {
  constructor(
    readonly tree: HostTree,
    /** "" or "/a/b". */
    public path: string,
    /** Removed while held. */
    public gone = false,
  ) {
    super();
  }

  private get host(): HostFs {
    return this.tree.host;
  }

  get hostPath(): string {
    if (this.gone) fail(Errno.ENOENT);
    return this.tree.top + this.path || "/";
  }

  private child(name: string): string {
    return `${this.tree.top}${this.gone ? fail(Errno.ENOENT) : this.path}/${name}`;
  }

  stat(): Stat {
    return this.host.lstat(this.hostPath);
  }

  same(other: Vnode): boolean {
    return (
      other instanceof HostNode && other.tree === this.tree && other.path === this.path && other.gone === this.gone
    );
  }

  statfs(): FsStat {
    return this.host.statfs(this.hostPath);
  }

  override hold(): void {
    this.tree.held.set(this, (this.tree.held.get(this) ?? 0) + 1);
  }

  override letGo(): void {
    const count = this.tree.held.get(this) ?? 0;
    if (count > 1) this.tree.held.set(this, count - 1);
    else this.tree.held.delete(this);
  }

  override access(bits: number, _credentials: Credentials): void {
    this.host.access(this.hostPath, bits);
  }

  override lookup(name: string): HostNode {
    const node = new HostNode(this.tree, `${this.path}/${name}`, this.gone);
    node.stat();
    return node;
  }

  override list(): Entry[] {
    return this.host.readdir(this.hostPath).map(({ name, type }) => {
      // A name that goes while it is listed has no number; readdir(3) allows either answer.
      const ino = this.inoOf(name);
      return { name, type, ino };
    });
  }

  private inoOf(name: string): bigint {
    try {
      return this.host.lstat(this.child(name)).ino;
    } catch (error) {
      if (error instanceof Fail) return 0n;
      throw error;
    }
  }

  override above(): Vnode | undefined {
    if (this.path === "") return undefined;
    return new HostNode(this.tree, this.path.slice(0, this.path.lastIndexOf("/")));
  }

  override nameAbove(): string | undefined {
    return this.gone ? undefined : this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  override readlink(): string {
    return this.host.readlink(this.hostPath);
  }

  open(flags: number): Handle {
    return this.opened(this.host.open(this.hostPath, flags & ~(Open.Create | Open.Exclusive), 0), flags);
  }

  override create(name: string, flags: number, mode: number): Handle {
    const fd = this.host.open(this.child(name), flags | Open.Create | Open.Exclusive, mode);
    return this.opened(fd, flags);
  }

  private opened(fd: number, flags: number): Handle {
    const directory = (this.host.fstat(fd).mode & Mode.TypeMask) === Mode.Directory;
    return directory
      ? new HostDirHandle(this.host, fd)
      : new HostFileHandle(this.host, fd, (flags & Open.Append) !== 0);
  }

  override mkdir(name: string, mode: number): void {
    this.host.mkdir(this.child(name), mode);
  }
  override symlink(name: string, target: string): void {
    this.host.symlink(target, this.child(name));
  }
  override link(name: string, to: Vnode): void {
    if (!(to instanceof HostNode)) throw new Fail(Errno.EXDEV);
    this.host.link(to.hostPath, this.child(name));
  }
  override unlink(name: string): void {
    this.host.unlink(this.child(name));
  }
  override rmdir(name: string): void {
    this.host.rmdir(this.child(name));
    this.forget(`${this.path}/${name}`);
  }

  override rename(name: string, to: Vnode, toName: string): void {
    if (!(to instanceof HostNode)) throw new Fail(Errno.EXDEV);
    const from = `${this.path}/${name}`;
    const into = `${to.path}/${toName}`;
    if (from === into) return;
    this.host.rename(this.child(name), to.child(toName));
    this.forget(into);
    for (const node of this.tree.held.keys()) {
      if (within(node.path, from)) node.path = into + node.path.slice(from.length);
    }
  }

  /** The directory at path is no more. */
  private forget(path: string): void {
    for (const node of this.tree.held.keys()) if (within(node.path, path)) node.gone = true;
  }

  override truncate(size: number): void {
    const fd = this.host.open(this.hostPath, Open.WriteOnly, 0);
    try {
      this.host.ftruncate(fd, size);
    } finally {
      this.host.close(fd);
    }
  }
  override chmod(mode: number): void {
    this.host.chmod(this.hostPath, mode);
  }
  override chown(uid: number, gid: number): void {
    this.host.lchown(this.hostPath, uid, gid);
  }
  override utimes(accessNs: bigint, modifyNs: bigint): void {
    this.host.lutimes(this.hostPath, accessNs, modifyNs);
  }
}

const within = (path: string, top: string): boolean => path === top || path.startsWith(`${top}/`);

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

/** A regular file of the host. Positions are the guest's; the host descriptor's own is not used. */
export class HostFileHandle extends HostDirHandle {
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
