/**
 * Pages of a file come in: the worker asks for frames, the host reads into them, the worker enters them in the cache.
 *
 *   fault → Exit.Io ─► pageInBegin() ─► host reads ─► pageInEnd() ─► the instruction starts again, and finds them cached
 *
 * Promise    what enters the cache is what the file held at a moment after the last write(2) that was done when it enters.
 * Ahead      up to 16 pages from the one that was asked for, as far as the file goes and none is cached: Linux's readahead
 *            in its simplest form.
 * Race       | host: read(file) for the page  | host: write(file), then hostWrite(): no page is cached yet, writes + 1
 *            | pageInEnd: writes differs from what pageInBegin saw → what was read is dropped; the fault comes again
 * Held       a reference to the object, and the frames, which nobody else knows: the host writes to them with no translation
 *            kept (design protocol 6). pageInEnd must follow, whatever happened.
 * Linux      mm/filemap.c:filemap_fault, page_cache_ra_unbounded
 */
import { Counter } from "../abi/counter";
import { Errno } from "../abi/errno";
import { lock, unlock } from "../sync/spinlock";
import { Add, addLocked, isCached, makeRoom } from "./cache";
import { allocPage, CACHED, putPage } from "./frame";
import { getObject, O_CACHE_LOCK, O_SIZE, O_WRITES, putObject } from "./object";
import { countBy, P_IO_ADDRESS, P_IO_OBJECT, P_IO_OFFSET, P_IO_RECORD, P_IO_WRITES } from "./percpu";
import { reclaim } from "./reclaim";

export const READ_AHEAD: u32 = 16;

export function ioObject(cpu: usize): u32 {
  return load<u32>(cpu, P_IO_OBJECT);
}

export function ioOffset(cpu: usize): u64 {
  return load<u64>(cpu, P_IO_OFFSET);
}

export function ioAddress(cpu: usize): u64 {
  return load<u64>(cpu, P_IO_ADDRESS);
}

/**
 * Frames for the pages from ioOffset() on, at most `most`: u32 addresses at `list`. How many, 0 when there is nothing to read any more,
 * -ENOMEM when there is no frame.
 */
export function pageInBegin(cpu: usize, list: usize, most: u32): i32 {
  const o = getObject(cpu, ioObject(cpu));
  store<u32>(cpu, <u32>o, P_IO_RECORD);
  if (o == 0) return 0;
  const first = <u32>(ioOffset(cpu) >> 12);
  lock(cpu, o + O_CACHE_LOCK);
  store<u32>(cpu, load<u32>(o, O_WRITES), P_IO_WRITES);
  unlock(o + O_CACHE_LOCK);
  const pages = (atomic.load<u64>(o, O_SIZE) + 4095) >> 12;
  let n: u32 = 0;
  while (n < most && n < READ_AHEAD && <u64>(first + n) < pages && !isCached(o, first + n)) {
    let frame = allocPage(cpu, CACHED);
    if (frame == 0 && n == 0 && reclaim(cpu)) frame = allocPage(cpu, CACHED);
    if (frame == 0) break;
    store<u32>(list + ((<usize>n) << 2), <u32>frame);
    n++;
  }
  if (n != 0) return n;
  const short = <u64>first < pages && !isCached(o, first);
  endRead(cpu, o);
  return short ? -Errno.ENOMEM : 0;
}

/** The first `valid` of the `count` frames were read: they enter the cache; the rest goes back. */
export function pageInEnd(cpu: usize, list: usize, count: u32, valid: u32): void {
  const o = <usize>load<u32>(cpu, P_IO_RECORD);
  const first = <u32>(ioOffset(cpu) >> 12);
  let entered: u32 = 0;
  let starved = false;
  lock(cpu, o + O_CACHE_LOCK);
  const same = load<u32>(o, O_WRITES) == load<u32>(cpu, P_IO_WRITES);
  for (let i: u32 = 0; i < count; i++) {
    const at = list + ((<usize>i) << 2);
    const frame = <usize>load<u32>(at);
    if (!same || i >= valid) continue;
    const added = addLocked(cpu, o, first + i, frame, false);
    if (added == Add.NoMemory) starved = true;
    if (added != Add.Added) continue;
    store<u32>(at, 0);
    entered++;
  }
  unlock(o + O_CACHE_LOCK);
  for (let i: u32 = 0; i < count; i++) {
    const frame = <usize>load<u32>(list + ((<usize>i) << 2));
    if (frame != 0) putPage(cpu, frame);
  }
  // The next attempt finds the node, and lacks a frame for the page if this was the last.
  if (starved && entered == 0) makeRoom(cpu, o, first);
  countBy(cpu, Counter.PagesRead, entered);
  endRead(cpu, o);
}

function endRead(cpu: usize, o: usize): void {
  store<u32>(cpu, 0, P_IO_RECORD);
  putObject(cpu, o);
}
