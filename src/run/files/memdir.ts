/** files/memdir.ts: directories in memory. Link counts are kept as Linux keeps them: 2 + subdirectories.
 *  Errors as fs/libfs.c; order of checks fs/namei.c:may_delete, vfs_rename. */
import { Errno } from "../../core/abi/errno.js";
import { Fail, fail } from "./fail.js";
import type { Handle } from "./handle.js";
import { Access, Mode } from "./linux.js";
import { MemFile, MemFileHandle, MemLink } from "./memfile.js";
import type { MemFs } from "./memfs.js";
import { MemHandle, MemInode } from "./meminode.js";
import { nowNs } from "./stat.js";
import type { Credentials, Entry, Vnode } from "./vnode.js";

export class MemDirectory extends MemInode {
  readonly entries = new Map<string, MemInode>();

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
    const inode = this.entries.get(name) ?? fail(Errno.ENOENT);
    inode.isAt(this, name);
    return inode;
  }

  override list(): Entry[] {
    return [...this.entries].map(([name, { type, ino }]) => ({ name, type, ino }));
  }

  override truncate(): void {
    fail(Errno.EISDIR);
  }

  /** Puts an inode under a free name. */
  add(name: string, inode: MemInode): void {
    if (this.nlink === 0) fail(Errno.ENOENT);
    this.entries.set(name, inode);
    inode.isAt(this, name);
    if (inode instanceof MemDirectory) this.nlink++;
    this.modified();
  }

  private take(name: string): void {
    const inode = this.entries.get(name);
    this.entries.delete(name);
    inode?.leaves(this, name);
    if (inode instanceof MemDirectory) this.nlink--;
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
    if (replaced === moved) return;
    this.mayChange(credentials);
    to.mayChange(credentials);
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
