/** files/pipe.ts: pipe2 inside the guest: sixteen pages with a reading and a writing end.
 *
 *      reader <─ [··bc] [defg] [h···] <─ writer      a short write joins the last page when it fits there, anything else
 *                                                    begins a page: so at most PIPE_BUF goes in whole or not at all (pipe(7))
 *
 *  Reading: 0 once empty with no writer. Writing without a reader: EPIPE. A read into memory that faults leaves the page it
 *  was at, and what follows, in the pipe.
 *  Follows   fs/pipe.c:anon_pipe_read, anon_pipe_write */
import { Errno } from "../../core/abi/errno.js";
import { Handle, Listeners } from "./handle.js";
import { Mode, PIPE_BUF, Poll } from "./linux.js";
import { nowNs, type Stat } from "./stat.js";
import type { Credentials } from "./vnode.js";

const PAGES = 16;
let lastIno = 0n;

/** Bytes [from, to) are in the pipe. */
interface Page {
  readonly bytes: Uint8Array;
  from: number;
  to: number;
}

class Pages {
  private readonly pages: Page[] = [];
  /** Where in the last read each of its pages began; its bytes. */
  private starts: number[] = [];
  private taken = 0;
  held = 0;
  readers = 1;
  writers = 1;
  readonly changed = new Listeners();

  get isFull(): boolean {
    return this.pages.length >= PAGES;
  }

  put(from: Uint8Array): number {
    let count = 0;
    const short = from.length % PIPE_BUF;
    const last = this.pages.at(-1);
    if (last && short > 0 && last.to + short <= PIPE_BUF) {
      last.bytes.set(from.subarray(0, short), last.to);
      last.to += short;
      count = short;
    }
    while (count < from.length && !this.isFull) {
      const piece = from.subarray(count, count + PIPE_BUF);
      this.pages.push(pageOf(piece));
      count += piece.length;
    }
    this.held += count;
    return count;
  }

  take(into: Uint8Array): number {
    let count = 0;
    this.starts = [];
    for (let page = this.pages[0]; page && count < into.length; page = this.pages[0]) {
      const piece = page.bytes.subarray(page.from, Math.min(page.to, page.from + into.length - count));
      into.set(piece, count);
      this.starts.push(count);
      count += piece.length;
      page.from += piece.length;
      if (page.from === page.to) this.pages.shift();
    }
    this.held -= count;
    this.taken = count;
    return count;
  }

  /** Of a read only the first `kept` bytes arrived: from the page on in which it stopped they are in the pipe again, before
   *  what another read has left there. How many are not. Where another read came between, its pages are not known any more. */
  putBack(read: Uint8Array, kept: number): number {
    const wholes = Math.ceil(read.length / PIPE_BUF);
    const starts = this.taken === read.length ? this.starts : Array.from({ length: wholes }, (_, i) => i * PIPE_BUF);
    const first = starts.findLastIndex((start) => start <= kept);
    for (let i = starts.length - 1; i >= first; i--) this.unread(read.subarray(starts[i], starts[i + 1]));
    this.held += read.length - (starts[first] as number);
    return starts[first] as number;
  }

  private unread(piece: Uint8Array): void {
    const [first] = this.pages;
    if (!first || first.from < piece.length) this.pages.unshift(pageOf(piece));
    else {
      first.from -= piece.length;
      first.bytes.set(piece, first.from);
    }
  }
}

function pageOf(piece: Uint8Array): Page {
  const bytes = new Uint8Array(PIPE_BUF);
  bytes.set(piece);
  return { bytes, from: 0, to: piece.length };
}

abstract class PipeEnd extends Handle {
  constructor(
    protected readonly pages: Pages,
    private readonly about: Stat,
  ) {
    super();
  }
  stat(): Stat {
    return this.about;
  }
  override available(): number {
    return this.pages.held;
  }
  override watch(_events: number, listener: () => void): () => void {
    return this.pages.changed.add(listener);
  }
}

class ReadEnd extends PipeEnd {
  override read(into: Uint8Array): number {
    if (into.length === 0) return 0;
    if (this.pages.held === 0) return this.pages.writers ? -Errno.EAGAIN : 0;
    const count = this.pages.take(into);
    this.pages.changed.tell();
    return count;
  }
  override giveBack(read: Uint8Array, kept: number): number {
    const count = this.pages.putBack(read, kept);
    this.pages.changed.tell();
    return count;
  }
  override poll(): number {
    return (this.pages.held ? Poll.In : 0) | (this.pages.writers ? 0 : Poll.HangUp);
  }
  protected override dispose(): void {
    this.pages.readers = 0;
    this.pages.changed.tell();
  }
}

class WriteEnd extends PipeEnd {
  override write(from: Uint8Array): number {
    if (from.length === 0) return 0;
    if (!this.pages.readers) return -Errno.EPIPE;
    const count = this.pages.put(from);
    if (count === 0) return -Errno.EAGAIN;
    this.pages.changed.tell();
    return count;
  }
  override poll(): number {
    if (!this.pages.readers) return Poll.Out | Poll.Error;
    return this.pages.isFull ? 0 : Poll.Out;
  }
  protected override dispose(): void {
    this.pages.writers = 0;
    this.pages.changed.tell();
  }
}

export function makePipe(owner: Credentials): { reader: Handle; writer: Handle } {
  const pages = new Pages();
  const about = anonymousStat(Mode.Fifo | 0o600, owner);
  return { reader: new ReadEnd(pages, about), writer: new WriteEnd(pages, about) };
}

/** What fstat says of an object that is in no file system. */
export function anonymousStat(mode: number, owner: Credentials): Stat {
  const now = nowNs();
  const sizes = { size: 0n, blocks: 0n, blockSize: 4096 };
  const times = { accessNs: now, modifyNs: now, changeNs: now };
  return { dev: 0xen, ino: ++lastIno, mode, nlink: 1, uid: owner.uid, gid: owner.gid, rdev: 0n, ...sizes, ...times };
}
