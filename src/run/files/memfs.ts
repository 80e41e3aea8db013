/** files/memfs.ts: a file system in memory, as tmpfs is: what the guest's `/` is when no directory was given for it.
 *  Inodes live as long as a name or an open file leads to them (JavaScript's collector frees them); link counts are kept
 *  as Linux keeps them, directories' included (2 + subdirectories).
 *  Follows mm/shmem.c and fs/libfs.c for errors; order of checks fs/namei.c:may_delete, vfs_rename. */
import { Errno } from "../../core/abi/errno.js";
import { Fail, fail } from "./fail.js";
import { Handle } from "./handle.js";
import { Access, Mode, makedev, Open } from "./linux.js";
import { MemData } from "./memdata.js";
import type { FsStat, Stat } from "./stat.js";
import { type Credentials, type Entry, Vnode } from "./vnode.js";

const BLOCK_SIZE = 4096;
const TMPFS_MAGIC = 0x01021994n;
export const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

/** One file system: its number, its inode numbers and what it may hold. */
export class MemFs {
  readonly dev: bigint;
  readonly root: MemDirectory;
  heldBytes = 0;
  private lastIno = 1n;

  constructor(
    minor: number,
    readonly owner: Credentials,
    readonly limitBytes = 2 ** 30,
  ) {
    this.dev = makedev(0, 0xff000 + minor);
    this.root = new MemDirectory(this, 0o755, owner);
  }

  nextIno(): bigint {
    return this.lastIno++;
  }

  statfs(): FsStat {
    const blocks = BigInt(Math.floor(this.limitBytes / BLOCK_SIZE));
    const free = blocks - BigInt(Math.ceil(this.heldBytes / BLOCK_SIZE));
    const counts = { blocks, free, available: free, files: this.lastIno, freeFiles: 1n << 32n };
    return { type: TMPFS_MAGIC, blockSize: BigInt(BLOCK_SIZE), ...counts };
  }
}

/** What every inode in memory has. */
export abstract class MemInode extends Vnode {
  readonly ino: bigint;
  nlink = 1;
  uid: number;
  gid: number;
  accessNs = nowNs();
  modifyNs = this.accessNs;
  changeNs = this.accessNs;

  constructor(
    readonly fs: MemFs,
    public mode: number,
    owner: Credentials,
    readonly rdev = 0n,
  ) {
    super();
    this.ino = fs.nextIno();
    this.uid = owner.uid;
    this.gid = owner.gid;
  }

  protected sizes(): { size: bigint; blocks: bigint } {
    return { size: 0n, blocks: 0n };
  }

  override get type(): number {
    return this.mode & Mode.TypeMask;
  }

  stat(): Stat {
    const { ino, mode, nlink, uid, gid, rdev, accessNs, modifyNs, changeNs } = this;
    const times = { accessNs, modifyNs, changeNs };
    return { dev: this.fs.dev, ino, mode, nlink, uid, gid, rdev, blockSize: BLOCK_SIZE, ...this.sizes(), ...times };
  }

  same(other: Vnode): boolean {
    return this === other;
  }

  statfs(): FsStat {
    return this.fs.statfs();
  }

  override chmod(mode: number): void {
    this.mode = (this.mode & Mode.TypeMask) | (mode & Mode.Permissions);
    this.changeNs = nowNs();
  }

  override chown(uid: number, gid: number): void {
    if (uid !== -1) this.uid = uid;
    if (gid !== -1) this.gid = gid;
    this.changeNs = nowNs();
  }

  override utimes(accessNs: bigint, modifyNs: bigint): void {
    this.accessNs = accessNs;
    this.modifyNs = modifyNs;
    this.changeNs = nowNs();
  }

  modified(): void {
    this.modifyNs = nowNs();
    this.changeNs = this.modifyNs;
  }
}

/** An open inode: what does not depend on its type. */
export class MemHandle<Inode extends MemInode> extends Handle {
  constructor(readonly inode: Inode) {
    super();
  }
  stat(): Stat {
    return this.inode.stat();
  }
  override sync(): void {}
  override chmod(mode: number): void {
    this.inode.chmod(mode);
  }
  override chown(uid: number, gid: number): void {
    this.inode.chown(uid, gid);
  }
  override utimes(accessNs: bigint, modifyNs: bigint): void {
    this.inode.utimes(accessNs, modifyNs);
  }
}

export class MemFile extends MemInode {
  readonly data = new MemData();
  private opens = 0;

  constructor(fs: MemFs, mode: number, owner: Credentials) {
    super(fs, Mode.Regular | (mode & Mode.Permissions), owner);
  }

  protected override sizes() {
    return { size: BigInt(this.data.size), blocks: BigInt(this.data.heldBytes / 512) };
  }

  open(flags: number, _credentials: Credentials): Handle {
    if (flags & Open.Truncate) this.resize(0);
    return new MemFileHandle(this);
  }

  override truncate(size: number): void {
    this.resize(size);
  }

  opened(by: number): void {
    this.opens += by;
    this.forgetIfUnused();
  }

  /** Without names and not open, its bytes stop counting. */
  forgetIfUnused(): void {
    if (this.nlink === 0 && this.opens === 0) this.resize(0);
  }

  resize(size: number): void {
    const before = this.data.heldBytes;
    this.data.resize(size);
    this.fs.heldBytes += this.data.heldBytes - before;
    this.modified();
  }

  write(bytes: Uint8Array, at: number): number {
    const growth = this.data.growth(at, bytes.length);
    if (this.fs.heldBytes + growth > this.fs.limitBytes) return fail(Errno.ENOSPC);
    this.fs.heldBytes += growth;
    this.modified();
    return this.data.write(bytes, at);
  }
}

class MemFileHandle extends MemHandle<MemFile> {
  constructor(inode: MemFile) {
    super(inode);
    inode.opened(1);
  }
  protected override dispose(): void {
    this.inode.opened(-1);
  }
  override get seekable(): boolean {
    return true;
  }
  override get regular(): boolean {
    return true;
  }
  override read(into: Uint8Array, at: number): number {
    this.inode.accessNs = nowNs();
    return this.inode.data.read(into, at);
  }
  override write(from: Uint8Array, at: number): number {
    return this.inode.write(from, at);
  }
  override truncate(size: number): void {
    this.inode.resize(size);
  }
}

export class MemLink extends MemInode {
  constructor(
    fs: MemFs,
    private readonly target: string,
    owner: Credentials,
  ) {
    super(fs, Mode.Link | 0o777, owner);
  }
  protected override sizes() {
    return { size: BigInt(this.target.length), blocks: 0n };
  }
  override readlink(): string {
    return this.target;
  }
  open(): Handle {
    return fail(Errno.ELOOP);
  }
}

/** A device: opening it gives what `opener` makes. */
export class MemDevice extends MemInode {
  constructor(
    fs: MemFs,
    rdev: bigint,
    owner: Credentials,
    private readonly opener: (node: MemDevice) => Handle,
  ) {
    super(fs, Mode.CharDevice | 0o666, owner, rdev);
  }
  open(): Handle {
    return this.opener(this);
  }
  override truncate(): void {
    fail(Errno.EINVAL);
  }
}

export class MemDirectory extends MemInode {
  readonly entries = new Map<string, MemInode>();
  private parent: MemDirectory | undefined;
  private name: string | undefined;

  constructor(fs: MemFs, mode: number, owner: Credentials) {
    super(fs, Mode.Directory | (mode & Mode.Permissions), owner);
    this.nlink = 2;
  }

  protected override sizes() {
    return { size: BigInt(this.entries.size * 20), blocks: 0n };
  }

  open(): Handle {
    return new MemHandle(this);
  }

  override lookup(name: string): MemInode {
    return this.entries.get(name) ?? fail(Errno.ENOENT);
  }

  override list(): Entry[] {
    return [...this.entries].map(([name, { type, ino }]) => ({ name, type, ino }));
  }

  override above(): Vnode | undefined {
    return this.parent;
  }

  override nameAbove(): string | undefined {
    return this.name;
  }

  override truncate(): void {
    fail(Errno.EISDIR);
  }

  /** Puts an inode under a free name. */
  add(name: string, inode: MemInode): void {
    if (this.nlink === 0) fail(Errno.ENOENT);
    this.entries.set(name, inode);
    if (inode instanceof MemDirectory) {
      inode.parent = this;
      inode.name = name;
      this.nlink++;
    }
    this.modified();
  }

  private take(name: string): void {
    const inode = this.entries.get(name);
    this.entries.delete(name);
    if (inode instanceof MemDirectory) {
      inode.name = undefined;
      this.nlink--;
    }
    this.modified();
  }

  private mayChange(credentials: Credentials): void {
    this.access(Access.Write | Access.Exec, credentials);
  }

  override create(name: string, _flags: number, mode: number, credentials: Credentials): Handle {
    this.mayChange(credentials);
    const file = new MemFile(this.fs, mode, credentials);
    this.add(name, file);
    return new MemFileHandle(file);
  }

  override mkdir(name: string, mode: number, credentials: Credentials): void {
    this.mayChange(credentials);
    this.add(name, new MemDirectory(this.fs, mode, credentials));
  }

  override symlink(name: string, target: string, credentials: Credentials): void {
    this.mayChange(credentials);
    this.add(name, new MemLink(this.fs, target, credentials));
  }

  override link(name: string, to: Vnode): void {
    if (!(to instanceof MemInode)) throw new Fail(Errno.EXDEV);
    if (to instanceof MemDirectory) throw new Fail(Errno.EPERM);
    if (to.nlink === 0) throw new Fail(Errno.ENOENT);
    to.nlink++;
    to.changeNs = nowNs();
    this.add(name, to);
  }

  override unlink(name: string, credentials: Credentials): void {
    const inode = this.lookup(name);
    this.mayChange(credentials);
    if (inode instanceof MemDirectory) fail(Errno.EISDIR);
    this.take(name);
    drop(inode);
  }

  override rmdir(name: string, credentials: Credentials): void {
    const inode = this.lookup(name);
    this.mayChange(credentials);
    if (!(inode instanceof MemDirectory)) throw new Fail(Errno.ENOTDIR);
    if (inode.entries.size > 0) fail(Errno.ENOTEMPTY);
    this.take(name);
    inode.nlink = 0;
  }

  override rename(name: string, to: Vnode, toName: string, credentials: Credentials): void {
    if (!(to instanceof MemDirectory)) throw new Fail(Errno.EXDEV);
    const moved = this.lookup(name);
    const replaced = to.entries.get(toName);
    this.mayChange(credentials);
    to.mayChange(credentials);
    if (replaced === moved) return;
    if (replaced) {
      if (moved instanceof MemDirectory && !(replaced instanceof MemDirectory)) fail(Errno.ENOTDIR);
      if (!(moved instanceof MemDirectory) && replaced instanceof MemDirectory) fail(Errno.EISDIR);
      if (replaced instanceof MemDirectory && replaced.entries.size > 0) fail(Errno.ENOTEMPTY);
      to.take(toName);
      if (replaced instanceof MemDirectory) replaced.nlink = 0;
      else drop(replaced);
    }
    this.take(name);
    to.add(toName, moved);
    moved.changeNs = nowNs();
  }
}

/** One name fewer. An open file keeps its bytes until it is closed. */
function drop(inode: MemInode): void {
  inode.nlink--;
  inode.changeNs = nowNs();
  if (inode instanceof MemFile) inode.forgetIfUnused();
}
