/**
 * Futex buckets: lists of waiters, oldest first, by a hash of the key.
 *
 *   bucket   {lock u32, head u32, tail u32, -}        records of threads, 0 none; guarded by lock
 *   waiter   part of the thread record (region.ts): next, prev, bucket, bitset, key: owner, place in it (futex.ts)
 *
 *   waiter.bucket   u32 atomic. the bucket it is queued in, 0 when in none.
 *     write   lock of the bucket it names held; a requeue holds both
 *     exact   that lock held and the word read again after taking it
 *     peek    the waiter: 0 is final for this wait, since only the waiter itself queues it again
 */
import { lock, unlock } from "../sync/spinlock";
import { BUCKET_COUNT, BUCKETS, T_BITSET, T_BUCKET, T_NEXT, T_OWNER, T_PLACE, T_PREV } from "./region";

const B_HEAD: usize = 4;
const B_TAIL: usize = 8;

export function bucketOf(owner: u32, place: u64): usize {
  const h = <u32>((((place >> 2) + ((<u64>owner) << 20)) * 0x9e37_79b9_7f4a_7c15) >> 40);
  return BUCKETS + ((<usize>(h & (BUCKET_COUNT - 1))) << 4);
}

/** Both buckets locked, the lower address first; one lock when they are the same. */
export function lockBoth(cpu: usize, a: usize, b: usize): void {
  lock(cpu, a < b ? a : b);
  if (a != b) lock(cpu, a < b ? b : a);
}

export function unlockBoth(a: usize, b: usize): void {
  unlock(a);
  if (a != b) unlock(b);
}

export function firstWaiter(bucket: usize): usize {
  return <usize>load<u32>(bucket, B_HEAD);
}

export function nextWaiter(waiter: usize): usize {
  return <usize>load<u32>(waiter, T_NEXT);
}

export function waitsOn(waiter: usize, owner: u32, place: u64, bitset: u32): bool {
  if (load<u64>(waiter, T_PLACE) != place || load<u32>(waiter, T_OWNER) != owner) return false;
  return (load<u32>(waiter, T_BITSET) & bitset) != 0;
}

export function enqueueLocked(bucket: usize, waiter: usize, owner: u32, place: u64, bitset: u32): void {
  const tail = load<u32>(bucket, B_TAIL);
  store<u32>(waiter, 0, T_NEXT);
  store<u32>(waiter, tail, T_PREV);
  store<u32>(waiter, bitset, T_BITSET);
  store<u64>(waiter, place, T_PLACE);
  store<u32>(waiter, owner, T_OWNER);
  if (tail == 0) store<u32>(bucket, <u32>waiter, B_HEAD);
  else store<u32>(<usize>tail, <u32>waiter, T_NEXT);
  store<u32>(bucket, <u32>waiter, B_TAIL);
  atomic.store<u32>(waiter, <u32>bucket, T_BUCKET);
}

/** Takes the waiter off its list; the caller then stores its `bucket`: 0, or where it goes next. */
export function dequeueLocked(bucket: usize, waiter: usize): void {
  const next = load<u32>(waiter, T_NEXT);
  const prev = load<u32>(waiter, T_PREV);
  if (prev == 0) store<u32>(bucket, next, B_HEAD);
  else store<u32>(<usize>prev, next, T_NEXT);
  if (next == 0) store<u32>(bucket, prev, B_TAIL);
  else store<u32>(<usize>next, prev, T_PREV);
}
