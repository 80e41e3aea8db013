/** files/memfile.ts: regular files, links and devices in memory. Errors as mm/shmem.c. */
import { Errno } from "../../core/abi/errno.js";
import { attempt, fail } from "./fail.js";
import type { Handle } from "./handle.js";
import { Mode, Open, Seal } from "./linux.js";
import { MemData } from "./memdata.js";
import type { MemFs } from "./memfs.js";
import { MemHandle, MemInode } from "./meminode.js";
import { nowNs } from "./stat.js";
import type { Credentials } from "./vnode.js";

const PAGE = 4096;

export class MemFile extends MemInode {
  readonly data = new MemData();
  /** Bits of Seal. A file with a name can not be sealed (mm/shmem.c:__shmem_get_inode). */
  seals: number = Seal.Seal;
  private opens = 0;

  constructor(
    fs: MemFs,
    mode: number,
    owner: Credentials,
    /** Of a file that never had a name: what it is shown as. */
    readonly label?: string,
  ) {
    super(fs, Mode.Regular | (mode & Mode.Permissions), owner);
    if (label !== undefined) this.nlink = 0;
  }

  protected override sizes() {
    return { size: BigInt(this.data.size), blocks: BigInt(this.data.heldBytes / 512) };
  }

  override get identity(): unknown {
    return this;
  }

  override get shownAs(): string | undefined {
    return this.label;
  }

  open(flags: number, _credentials: Credentials): Handle {
    if (flags & Open.Truncate) this.truncate(0);
    return new MemFileHandle(this);
  }

  override truncate(size: number): void {
    if (size < this.data.size ? this.seals & Seal.Shrink : size > this.data.size && this.seals & Seal.Grow)
      fail(Errno.EPERM);
    this.resize(size);
  }

  override chmod(mode: number): void {
    if (this.seals & Seal.Exec && (this.mode ^ mode) & 0o111) fail(Errno.EPERM);
    super.chmod(mode);
  }

  opened(by: number): void {
    this.opens += by;
    this.forgetIfUnused();
  }

  /** Without names and not open, its bytes stop counting. */
  forgetIfUnused(): void {
    if (this.nlink === 0 && this.opens === 0) this.resize(0);
  }

  private resize(size: number): void {
    this.counted(() => this.data.resize(size));
    this.modified();
  }

  /** mm/shmem.c:shmem_fallocate, FALLOC_FL_PUNCH_HOLE. */
  punch(offset: number, length: number): void {
    if (this.seals & (Seal.Write | Seal.FutureWrite)) fail(Errno.EPERM);
    this.counted(() => this.data.punch(offset, length));
    this.modified();
  }

  private counted(change: () => void): void {
    const before = this.data.heldBytes;
    change();
    this.fs.heldBytes += this.data.heldBytes - before;
  }

  /** Nothing written is nothing changed: not even the length, however far `at` is. */
  write(bytes: Uint8Array, at: number): number {
    if (bytes.length === 0) return 0;
    const taken = bytes.subarray(0, this.unsealed(at, bytes.length));
    const count = this.store(taken, at);
    this.modified();
    return count;
  }

  /** How much of a write the seals let through: it goes page by page, and stops at the first that would make the file
   *  longer (mm/shmem.c:shmem_write_begin, mm/filemap.c:generic_perform_write). */
  private unsealed(at: number, length: number): number {
    if (this.seals & (Seal.Write | Seal.FutureWrite)) fail(Errno.EPERM);
    if (!(this.seals & Seal.Grow) || at + length <= this.data.size) return length;
    const whole = Math.floor(this.data.size / PAGE) * PAGE - at;
    return whole > 0 ? whole : fail(Errno.EPERM);
  }

  /** Puts bytes in, whatever the seals say. */
  store(bytes: Uint8Array, at: number): number {
    const growth = this.data.growth(at, bytes.length);
    if (this.fs.heldBytes + growth > this.fs.limitBytes) return fail(Errno.ENOSPC);
    this.fs.heldBytes += growth;
    return this.data.write(bytes, at);
  }
}

export class MemFileHandle extends MemHandle<MemFile> {
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
  override get identity(): unknown {
    return this.inode;
  }
  override get label(): string | undefined {
    return this.inode.label;
  }
  override get dataEnd(): number {
    return this.inode.data.end;
  }
  override get seals(): number {
    return this.inode.seals;
  }
  override addSeals(seals: number): void {
    this.inode.seals |= seals;
  }
  override writeBack(from: Uint8Array, at: number): number {
    return attempt(() => this.inode.store(from, at));
  }
  override punch(offset: number, length: number): void {
    this.inode.punch(offset, length);
  }
  override read(into: Uint8Array, at: number): number {
    this.inode.accessNs = nowNs();
    return this.inode.data.read(into, at);
  }
  override write(from: Uint8Array, at: number): number {
    return this.inode.write(from, at);
  }
  override truncate(size: number): void {
    this.inode.truncate(size);
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
