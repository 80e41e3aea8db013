/** files/hostdir.ts: a directory of the host (or one file of it) as part of the guest's tree.
 *  A node is an absolute host path below the mount's top; the walker made it name by name, so it leads nowhere else. A
 *  node that is held keeps its path true (hostpaths.ts); any other lives for one call, and a call runs whole on the main
 *  thread. What other *host* processes do meanwhile is the adapter's to notice (run/node/beneath.ts).
 *  Permissions are the host's: it answers as it would answer the user who started Faultline. */
import { Errno } from "../../core/abi/errno.js";
import { Fail, fail } from "./fail.js";
import type { Handle } from "./handle.js";
import type { HostFs } from "./host.js";
import { hostHandle, hostInode } from "./hostfile.js";
import { type HeldPath, type HostPaths, within } from "./hostpaths.js";
import { Mode, Open } from "./linux.js";
import type { FsStat, Stat } from "./stat.js";
import { type Credentials, type Entry, Vnode } from "./vnode.js";

export class HostTree {
  readonly root: HostNode;

  constructor(
    readonly paths: HostPaths,
    /** Absolute host path, links resolved, without a slash at its end ("" is the host's root). */
    top: string,
  ) {
    this.root = new HostNode(this, top);
    this.root.hold();
  }
}

export class HostNode extends Vnode implements HeldPath {
  gone: Stat | undefined;

  constructor(
    readonly tree: HostTree,
    public path: string,
    /** What lookup saw. */
    private readonly seen?: Stat,
  ) {
    super();
  }

  private get host(): HostFs {
    return this.tree.paths.host;
  }

  private get hostPath(): string {
    if (this.gone) fail(Errno.ENOENT);
    return this.path || "/";
  }

  private child(name: string): string {
    return `${this.gone ? fail(Errno.ENOENT) : this.path}/${name}`;
  }

  /** A name's type does not change within the call that looked it up, nor a held file's ever. */
  override get type(): number {
    return (this.seen ?? this.stat()).mode & Mode.TypeMask;
  }

  override get identity(): unknown {
    return hostInode(this.stat());
  }

  stat(): Stat {
    return this.gone ?? this.host.lstat(this.hostPath);
  }

  same(other: Vnode): boolean {
    return (
      other instanceof HostNode && other.tree === this.tree && other.path === this.path && !other.gone === !this.gone
    );
  }

  statfs(): FsStat {
    return this.host.statfs(this.hostPath);
  }

  override hold(): void {
    this.tree.paths.hold(this);
  }

  override letGo(): void {
    this.tree.paths.letGo(this);
  }

  override access(bits: number, _credentials: Credentials): void {
    if (!this.gone) this.host.access(this.hostPath, bits);
  }

  /** The host says so when a name is used. */
  override search(): void {}

  override lookup(name: string): HostNode {
    const path = this.child(name);
    return new HostNode(this.tree, path, this.host.lstat(path));
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

  /** Undefined at the top. A directory that was moved to outside of its mount has none: ENOENT (path_connected). */
  override above(): Vnode | undefined {
    const top = this.tree.root.path;
    if (this.path === top) return undefined;
    if (!within(this.path, top)) fail(Errno.ENOENT);
    const parent = new HostNode(this.tree, this.path.slice(0, this.path.lastIndexOf("/")));
    if (this.gone) parent.mustBeDirectories();
    return parent;
  }

  /** Above what was removed the names may have been used again, for a link even. */
  private mustBeDirectories(): void {
    const top = this.tree.root.path;
    for (let path = this.path; path !== top; path = path.slice(0, path.lastIndexOf("/"))) {
      if ((this.host.lstat(path).mode & Mode.TypeMask) !== Mode.Directory) fail(Errno.ENOENT);
    }
  }

  override nameAbove(): string | undefined {
    const inside = !this.gone && within(this.path, this.tree.root.path);
    return inside ? this.path.slice(this.path.lastIndexOf("/") + 1) : undefined;
  }

  override lastName(): string | undefined {
    return within(this.path, this.tree.root.path) ? this.path.slice(this.path.lastIndexOf("/") + 1) : undefined;
  }

  override readlink(): string {
    return this.host.readlink(this.hostPath);
  }

  open(flags: number): Handle {
    // Opening one, even to refuse it, may be noticed: a pipe's writer wakes, a tape rewinds.
    if (this.type === Mode.Fifo) fail(Errno.ENXIO);
    if (this.type === Mode.CharDevice || this.type === Mode.BlockDevice) fail(Errno.EACCES);
    const fd = this.host.open(this.hostPath, flags & ~(Open.Create | Open.Exclusive), 0);
    return hostHandle(this.host, fd, flags);
  }

  override create(name: string, flags: number, mode: number): Handle {
    const fd = this.host.open(this.child(name), flags | Open.Create | Open.Exclusive, mode);
    return hostHandle(this.host, fd, flags);
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
    const path = this.child(name);
    this.tree.paths.remove(path, () => this.host.unlink(path));
  }
  override rmdir(name: string): void {
    const path = this.child(name);
    this.tree.paths.remove(path, () => this.host.rmdir(path));
  }

  override rename(name: string, to: Vnode, toName: string): void {
    if (!(to instanceof HostNode)) throw new Fail(Errno.EXDEV);
    const [from, into] = [this.child(name), to.child(toName)];
    // Two names of one file: both stay (rename(2)).
    if (sameFile(this.host.lstat(from), to.peek(toName))) return;
    this.tree.paths.rename(from, into, () => this.host.rename(from, into));
  }

  private peek(name: string): Stat | undefined {
    try {
      return this.host.lstat(this.child(name));
    } catch (error) {
      if (error instanceof Fail && error.errno === Errno.ENOENT) return undefined;
      throw error;
    }
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

const sameFile = (a: Stat, b: Stat | undefined): boolean => a.ino === b?.ino && a.dev === b.dev;
