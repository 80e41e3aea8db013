/** files/memfs.ts: a file system in memory, as tmpfs is: what the guest's `/` is when no directory was given for it.
 *
 *     MemFs ── root ─> MemDirectory {name -> inode}        memdir.ts
 *                        MemFile {MemData}, MemLink, MemDevice        memfile.ts, memdata.ts
 *                        each a MemInode                   meminode.ts */
import { makedev } from "./linux.js";
import { MemDirectory } from "./memdir.js";
import type { FsStat } from "./stat.js";
import type { Credentials } from "./vnode.js";

const BLOCK_SIZE = 4096;
const TMPFS_MAGIC = 0x01021994n;

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
