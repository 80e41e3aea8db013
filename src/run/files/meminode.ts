/** files/meminode.ts: what every file in memory is: an inode with an owner, a mode, times and a count of its names.
 *  Inodes live as long as a name or an open file leads to them (JavaScript's collector frees them). */
import { Handle } from "./handle.js";
import { Mode } from "./linux.js";
import type { MemFs } from "./memfs.js";
import { type FsStat, nowNs, type Stat } from "./stat.js";
import { type Credentials, Vnode } from "./vnode.js";

const BLOCK_SIZE = 4096;

/** What every inode in memory has. */
export abstract class MemInode extends Vnode {
  readonly ino: bigint;
  nlink = 1;
  uid: number;
  gid: number;
  accessNs = nowNs();
  modifyNs = this.accessNs;
  changeNs = this.accessNs;
  /** Where it was last put or looked up, and whether that name is still its own. */
  private home: { readonly parent: MemInode; readonly name: string; gone: boolean } | undefined;

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

  isAt(parent: MemInode, name: string): void {
    this.home = { parent, name, gone: false };
  }

  /** The name goes; another one it may have is not known until it is looked up. */
  leaves(parent: MemInode, name: string): void {
    if (this.home?.parent === parent && this.home.name === name) this.home.gone = true;
  }

  override above(): Vnode | undefined {
    return this.home?.parent;
  }

  override nameAbove(): string | undefined {
    return this.home?.gone ? undefined : this.home?.name;
  }

  override lastName(): string | undefined {
    return this.home?.name;
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
