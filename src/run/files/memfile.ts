/** files/memfile.ts: regular files, links and devices in memory. Errors as mm/shmem.c. */
import { Errno } from "../../core/abi/errno.js";
import { fail } from "./fail.js";
import type { Handle } from "./handle.js";
import { Mode, Open } from "./linux.js";
import { MemData } from "./memdata.js";
import type { MemFs } from "./memfs.js";
import { MemHandle, MemInode } from "./meminode.js";
import { nowNs } from "./stat.js";
import type { Credentials } from "./vnode.js";

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

  /** Nothing written is nothing changed: not even the length, however far `at` is. */
  write(bytes: Uint8Array, at: number): number {
    if (bytes.length === 0) return 0;
    const growth = this.data.growth(at, bytes.length);
    if (this.fs.heldBytes + growth > this.fs.limitBytes) return fail(Errno.ENOSPC);
    this.fs.heldBytes += growth;
    this.modified();
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
