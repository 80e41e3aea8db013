/** files/pipe.ts: pipe2 inside the guest: a ring of 64 KiB with a reading and a writing end.
 *  A write of at most PIPE_BUF bytes goes in whole or not at all (pipe(7)); a longer one takes what room there is.
 *  Reading: 0 once empty with no writer. Writing without a reader: EPIPE. Follows fs/pipe.c:pipe_read, pipe_write. */
import { Errno } from "../../core/abi/errno.js";
import { Handle, Listeners } from "./handle.js";
import { Mode, PIPE_BUF, Poll } from "./linux.js";
import { nowNs, type Stat } from "./stat.js";
import type { Credentials } from "./vnode.js";

const CAPACITY = 65536;
let lastIno = 0n;

class Ring {
  private readonly bytes = new Uint8Array(CAPACITY);
  private start = 0;
  held = 0;
  readers = 1;
  writers = 1;
  readonly changed = new Listeners();

  put(from: Uint8Array): number {
    const count = Math.min(from.length, CAPACITY - this.held);
    const at = (this.start + this.held) % CAPACITY;
    const run = Math.min(count, CAPACITY - at);
    this.bytes.set(from.subarray(0, run), at);
    this.bytes.set(from.subarray(run, count), 0);
    this.held += count;
    return count;
  }

  take(into: Uint8Array): number {
    const count = Math.min(into.length, this.held);
    const run = Math.min(count, CAPACITY - this.start);
    into.set(this.bytes.subarray(this.start, this.start + run), 0);
    into.set(this.bytes.subarray(0, count - run), run);
    this.start = (this.start + count) % CAPACITY;
    this.held -= count;
    return count;
  }
}

abstract class PipeEnd extends Handle {
  constructor(
    protected readonly ring: Ring,
    private readonly about: Stat,
  ) {
    super();
  }
  stat(): Stat {
    return this.about;
  }
  override available(): number {
    return this.ring.held;
  }
  override watch(_events: number, listener: () => void): () => void {
    return this.ring.changed.add(listener);
  }
}

class ReadEnd extends PipeEnd {
  override read(into: Uint8Array): number {
    if (into.length === 0) return 0;
    if (this.ring.held === 0) return this.ring.writers ? -Errno.EAGAIN : 0;
    const count = this.ring.take(into);
    this.ring.changed.tell();
    return count;
  }
  override poll(): number {
    return (this.ring.held ? Poll.In : 0) | (this.ring.writers ? 0 : Poll.HangUp);
  }
  protected override dispose(): void {
    this.ring.readers = 0;
    this.ring.changed.tell();
  }
}

class WriteEnd extends PipeEnd {
  override write(from: Uint8Array): number {
    if (from.length === 0) return 0;
    if (!this.ring.readers) return -Errno.EPIPE;
    const room = CAPACITY - this.ring.held;
    if (room === 0 || (from.length <= PIPE_BUF && from.length > room)) return -Errno.EAGAIN;
    const count = this.ring.put(from);
    this.ring.changed.tell();
    return count;
  }
  override poll(): number {
    if (!this.ring.readers) return Poll.Out | Poll.Error;
    return CAPACITY - this.ring.held >= PIPE_BUF ? Poll.Out : 0;
  }
  protected override dispose(): void {
    this.ring.writers = 0;
    this.ring.changed.tell();
  }
}

export function makePipe(owner: Credentials): { reader: Handle; writer: Handle } {
  const ring = new Ring();
  const about = anonymousStat(Mode.Fifo | 0o600, owner);
  return { reader: new ReadEnd(ring, about), writer: new WriteEnd(ring, about) };
}

/** What fstat says of an object that is in no file system. */
export function anonymousStat(mode: number, owner: Credentials): Stat {
  const now = nowNs();
  const sizes = { size: 0n, blocks: 0n, blockSize: 4096 };
  const times = { accessNs: now, modifyNs: now, changeNs: now };
  return { dev: 0xen, ino: ++lastIno, mode, nlink: 1, uid: owner.uid, gid: owner.gid, rdev: 0n, ...sizes, ...times };
}
