/**
 * What the host's own thread does with page caches, beside the workers: it serves read(2) and write(2) of files that are
 * mapped, too, and knows when one is made shorter.
 *
 * Promise    a read sees what was stored through any mapping before it; a mapping sees what was written, after the call.
 * cpu        the host's own area: never online, in no space. It takes OBJECTS_LOCK and cLock, which nobody holds while he
 *            waits for anything; it follows no pointer without them, so it is no RCU reader.
 * Not copied a page's stores race with these copies as two programs' would; the bytes are the guest's affair.
 * Shorter    the size is stored and `trim` noted; who made the call, a worker, takes the pages out before it returns to the
 *            guest (truncate.ts). The rest of the last page is zeroed here.
 * Linux      mm/filemap.c:filemap_read, generic_perform_write; mm/truncate.c:truncate_setsize
 */
import { abandonDeferred } from "../sync/rcu";
import { lock, unlock } from "../sync/spinlock";
import { frameIn, nextCached, slotOf } from "./cache";
import { drainFrames } from "./frame";
import {
  findLocked,
  KIND_FILE,
  O_CACHE_LOCK,
  O_DATA_END,
  O_SIZE,
  O_TRIM,
  O_TRIM_NEEDED,
  O_WRITES,
  OBJECTS_LOCK,
  openObject,
  TRIMS,
} from "./object";

/** Makes or finds the object of a file, with a reference for the mapping that is about to be made. False without memory. */
export function hostOpen(cpu: usize, id: u32, size: u64, dataEnd: u64): bool {
  const o = openObject(cpu, id, KIND_FILE, size, dataEnd);
  drainFrames(cpu, cpu);
  return o != 0;
}

/** [from, end) reads as zeros now: what is cached of it is cleared where it lies. */
export function hostPunch(cpu: usize, id: u32, from: u64, end: u64): void {
  const o = lockObject(cpu, id);
  if (o == 0) return;
  store<u32>(o, load<u32>(o, O_WRITES) + 1, O_WRITES);
  const last = <u32>((end + 4095) >> 12);
  for (let i = nextCached(o, <u32>(from >> 12), last, 0); i < last; i = nextCached(o, i + 1, last, 0)) {
    const page = (<u64>i) << 12;
    const frame = frameIn(atomic.load<u32>(slotOf(o, i)));
    const start: u64 = from > page ? from - page : 0;
    const upTo: u64 = end < page + 4096 ? end - page : 4096;
    memory.fill(frame + <usize>start, 0, <usize>(upTo - start));
  }
  unlock(o + O_CACHE_LOCK);
}

/** What the service CPU came to keep goes to the others, who can free it: it is never quiescent. */
export function settleHost(cpu: usize): void {
  abandonDeferred(cpu);
  drainFrames(cpu, cpu);
}

/** The object with its cLock held, or 0. */
function lockObject(cpu: usize, id: u32): usize {
  lock(cpu, OBJECTS_LOCK);
  const o = findLocked(id);
  if (o != 0) lock(cpu, o + O_CACHE_LOCK);
  unlock(OBJECTS_LOCK);
  return o;
}

/** The file has `size` bytes now. */
export function hostResize(cpu: usize, id: u32, size: u64): void {
  const o = lockObject(cpu, id);
  if (o == 0) return;
  const old = atomic.load<u64>(o, O_SIZE);
  atomic.store<u64>(o, size, O_SIZE);
  store<u32>(o, load<u32>(o, O_WRITES) + 1, O_WRITES);
  if (size < old) {
    if (atomic.load<u64>(o, O_DATA_END) > size && atomic.load<u64>(o, O_DATA_END) != HOST_KNOWS) {
      atomic.store<u64>(o, size, O_DATA_END);
    }
    if ((size & 4095) != 0) zeroTail(o, size);
    noteTrim(o, (size + 4095) & ~(<u64>4095));
  }
  unlock(o + O_CACHE_LOCK);
}

/** dataEnd of a file whose holes nobody knows: every page is asked of the host. */
export const HOST_KNOWS: u64 = 0xffff_ffff_ffff_ffff;

function noteTrim(o: usize, from: u64): void {
  if (from < load<u64>(o, O_TRIM)) store<u64>(o, from, O_TRIM);
  if (load<u32>(o, O_TRIM_NEEDED) != 0) return;
  store<u32>(o, 1, O_TRIM_NEEDED);
  atomic.add<u32>(TRIMS, 1);
}

function zeroTail(o: usize, size: u64): void {
  const slot = slotOf(o, <u32>(size >> 12));
  const frame: usize = slot == 0 ? 0 : frameIn(atomic.load<u32>(slot));
  const at = <usize>(size & 4095);
  if (frame != 0) memory.fill(frame + at, 0, 4096 - at);
}

/** Lays what cached pages hold over the `length` bytes at `target`, which the host read from `offset` on. */
export function hostRead(cpu: usize, id: u32, offset: u64, target: usize, length: u32): void {
  copy(cpu, id, offset, target, length, false);
}

/** The host wrote `length` bytes, at `source`, from `offset` on: cached pages get them, too. */
export function hostWrite(cpu: usize, id: u32, offset: u64, source: usize, length: u32): void {
  copy(cpu, id, offset, source, length, true);
}

function copy(cpu: usize, id: u32, offset: u64, host: usize, length: u32, write: bool): void {
  const o = lockObject(cpu, id);
  if (o == 0) return;
  if (write) {
    store<u32>(o, load<u32>(o, O_WRITES) + 1, O_WRITES);
    if (atomic.load<u64>(o, O_DATA_END) < offset + length) atomic.store<u64>(o, offset + length, O_DATA_END);
    if (atomic.load<u64>(o, O_SIZE) < offset + length) atomic.store<u64>(o, offset + length, O_SIZE);
  }
  let done: u32 = 0;
  while (done < length) {
    const at = offset + done;
    const inPage: u32 = 4096 - <u32>(at & 4095);
    const n: u32 = length - done < inPage ? length - done : inPage;
    const slot = slotOf(o, <u32>(at >> 12));
    const frame: usize = slot == 0 ? 0 : frameIn(atomic.load<u32>(slot));
    if (frame != 0) {
      const page = frame + <usize>(at & 4095);
      if (write) memory.copy(page, host + done, n);
      else memory.copy(host + done, page, n);
    }
    done += n;
  }
  unlock(o + O_CACHE_LOCK);
}
