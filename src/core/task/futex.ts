/**
 * futex(2). Which words are one futex is a key: (space, address), or for a shared mapping of an object and a call that does
 * not say FUTEX_PRIVATE (object, offset), so that processes that map it at different places meet. A space is told from an
 * object by the lowest bit.
 *
 * Problem    a thread must sleep if and only if the word still has the value it saw; the word may not be resident, and
 *            faulting under a lock is not allowed.
 * Algorithm  wait: lock the bucket, read the word through the TLB; on a miss unlock, fault it in, start over. Equal:
 *            queue the thread's own record, unlock, sleep on the own pending word.
 *            wake: lock the bucket, take matching records off, store bucket = 0 in each, post Wake.
 * No lost wake
 *            | waiter                               | waker
 *            | lock; read word == expected; queue   | store word (guest code)
 *            | unlock; sleep                        | lock; find the record
 *            The waker's store precedes its lock. If it locks first, the waiter's later read sees the new value and
 *            does not sleep. If it locks second, it finds the record. The post comes after bucket = 0, and the waiter
 *            takes its Wake bit before it reads bucket, so either it reads 0 or its sleep sees the bit.
 * Removed once
 *            a record leaves its list only under the lock of the bucket it names, together with the store to `bucket`:
 *            by a waker (0), by a requeue (the other bucket, both locks held), or by the waiter's own cancel, which
 *            locks, reads `bucket` again, and starts over if it moved. Who gets there second sees bucket changed.
 *            So a timeout or signal that loses to a wake reports success, and the wake is not spent on nobody.
 * Stale bits a Wake posted to a waiter that saw bucket == 0 by itself stays pending and ends a later sleep early; every
 *            sleeper looks again at what it waits for.
 * Locks      bucket locks only, two in order of address; nothing that faults, sleeps or waits under them.
 * Linux: compare kernel/futex/waitwake.c, requeue.c.
 */
import { Errno } from "../abi/errno";
import { Access } from "../abi/exit";
import { Pending } from "../abi/pending";
import { futexObject, futexOffset } from "../mm/futexKey";
import { spaceOf } from "../mm/space";
import { cpuArea, cpuId, post, takePending } from "../sync/cpu";
import { now } from "../sync/env";
import { sleep } from "../sync/idle";
import { lock, unlock } from "../sync/spinlock";
import {
  bucketOf,
  dequeueLocked,
  enqueueLocked,
  firstWaiter,
  lockBoth,
  nextWaiter,
  unlockBoth,
  waitsOn,
} from "./bucket";
import { operate } from "./futexop";
import { T_BITSET, T_BUCKET, threadIndex, threadRecord } from "./region";
import { fillWord, MISS, peekWord } from "./word";

/**
 * Sleeps while the word at `address` is `expected`, until a wake whose bitset meets `bitset`, or `deadlineNs` (as now();
 * negative: none). 0, -EAGAIN (the word differs), -ETIMEDOUT, -EINTR (a kick or stop, left pending), -EFAULT, or NEED.
 */
export function futexWait(cpu: usize, shared: bool, address: u64, expected: u32, bitset: u32, deadlineNs: f64): i64 {
  const waiter = threadRecord(cpuId(cpu));
  const owner = ownerOf(cpu, shared, address);
  if (owner < 0) return owner;
  const place = placeOf(cpu, <u32>owner, address);
  const bucket = bucketOf(<u32>owner, place);
  while (true) {
    lock(cpu, bucket);
    const value = peekWord(cpu, address);
    if (value == <i64>expected) {
      enqueueLocked(bucket, waiter, <u32>owner, place, bitset);
      unlock(bucket);
      return sleepQueued(cpu, waiter, deadlineNs);
    }
    unlock(bucket);
    if (value != MISS) return -Errno.EAGAIN;
    const error = fillWord(cpu, address, Access.Read);
    if (error != 0) return error;
  }
}

/** The first half of the key: a space, or (an object << 1) | 1; -EFAULT where nothing is mapped. */
function ownerOf(cpu: usize, shared: bool, address: u64): i64 {
  if (!shared) return <i64>spaceOf(cpu);
  const object = futexObject(cpu, address);
  if (object < 0) return object;
  return object == 0 ? <i64>spaceOf(cpu) : (object << 1) | 1;
}

/** The second half, right after the first. */
function placeOf(cpu: usize, owner: u32, address: u64): u64 {
  return (owner & 1) != 0 ? futexOffset(cpu) : address;
}

function sleepQueued(cpu: usize, waiter: usize, deadlineNs: f64): i64 {
  while (true) {
    takePending(cpu, Pending.Wake);
    if (atomic.load<u32>(waiter, T_BUCKET) == 0) return 0;
    let left: i64 = -1;
    if (deadlineNs >= 0.0) {
      const ns = deadlineNs - now();
      if (ns <= 0.0) return cancel(cpu, waiter) ? -Errno.ETIMEDOUT : 0;
      left = <i64>ns;
    }
    if ((sleep(cpu, left) & (Pending.Kick | Pending.Stop)) != 0) return cancel(cpu, waiter) ? -Errno.EINTR : 0;
  }
}

/** Takes the waiter out of whichever queue it is in; false when a wake was first. */
function cancel(cpu: usize, waiter: usize): bool {
  while (true) {
    const bucket = <usize>atomic.load<u32>(waiter, T_BUCKET);
    if (bucket == 0) return false;
    lock(cpu, bucket);
    const still = atomic.load<u32>(waiter, T_BUCKET) == <u32>bucket;
    if (still) {
      dequeueLocked(bucket, waiter);
      atomic.store<u32>(waiter, 0, T_BUCKET);
    }
    unlock(bucket);
    if (still) return true;
  }
}

/** Wakes up to `count` waiters whose bitset meets `bitset`; how many. */
export function futexWake(cpu: usize, shared: bool, address: u64, count: u32, bitset: u32): i64 {
  const owner = ownerOf(cpu, shared, address);
  if (owner < 0) return owner;
  const place = placeOf(cpu, <u32>owner, address);
  const bucket = bucketOf(<u32>owner, place);
  lock(cpu, bucket);
  const woken = wakeLocked(bucket, <u32>owner, place, count, bitset);
  unlock(bucket);
  return woken;
}

function wakeLocked(bucket: usize, owner: u32, place: u64, count: u32, bitset: u32): i64 {
  let woken: u32 = 0;
  let waiter = firstWaiter(bucket);
  while (waiter != 0 && woken < count) {
    const next = nextWaiter(waiter);
    if (waitsOn(waiter, owner, place, bitset)) {
      dequeueLocked(bucket, waiter);
      atomic.store<u32>(waiter, 0, T_BUCKET);
      post(cpuArea(threadIndex(waiter)), Pending.Wake);
      woken++;
    }
    waiter = next;
  }
  return <i64>woken;
}

/**
 * FUTEX_REQUEUE and, with `compare`, FUTEX_CMP_REQUEUE: wakes up to `wake` waiters of `from`, moves up to `move` more to
 * `to`. How many were woken or moved, -EAGAIN when the word at `from` is not `expected`, -EFAULT, or NEED.
 */
export function futexRequeue(
  cpu: usize,
  shared: bool,
  from: u64,
  to: u64,
  wake: u32,
  move: u32,
  compare: bool,
  expected: u32,
): i64 {
  const owner = ownerOf(cpu, shared, from);
  if (owner < 0) return owner;
  const place = placeOf(cpu, <u32>owner, from);
  const nextOwner = ownerOf(cpu, shared, to);
  if (nextOwner < 0) return nextOwner;
  const nextPlace = placeOf(cpu, <u32>nextOwner, to);
  const a = bucketOf(<u32>owner, place);
  const b = bucketOf(<u32>nextOwner, nextPlace);
  while (true) {
    lockBoth(cpu, a, b);
    const value = compare ? peekWord(cpu, from) : <i64>expected;
    if (value == <i64>expected) {
      const woken = wakeLocked(a, <u32>owner, place, wake, 0xffff_ffff);
      const same = nextOwner == owner && nextPlace == place;
      const moved = same ? 0 : moveLocked(a, b, <u32>owner, place, <u32>nextOwner, nextPlace, move);
      unlockBoth(a, b);
      return woken + moved;
    }
    unlockBoth(a, b);
    if (value != MISS) return -Errno.EAGAIN;
    const error = fillWord(cpu, from, Access.Read);
    if (error != 0) return error;
  }
}

function moveLocked(a: usize, b: usize, owner: u32, from: u64, nextOwner: u32, to: u64, count: u32): i64 {
  let moved: u32 = 0;
  let waiter = firstWaiter(a);
  while (waiter != 0 && moved < count) {
    const next = nextWaiter(waiter);
    if (waitsOn(waiter, owner, from, 0xffff_ffff)) {
      const bitset = load<u32>(waiter, T_BITSET);
      dequeueLocked(a, waiter);
      enqueueLocked(b, waiter, nextOwner, to, bitset);
      moved++;
    }
    waiter = next;
  }
  return <i64>moved;
}

/** FUTEX_WAKE_OP: changes the word at `second` as `op` says, wakes `wake` at `first` and, if its old value passes, `wakeSecond` there. */
export function futexWakeOp(
  cpu: usize,
  shared: bool,
  first: u64,
  wake: u32,
  second: u64,
  wakeSecond: u32,
  op: u32,
): i64 {
  const owner = ownerOf(cpu, shared, first);
  if (owner < 0) return owner;
  const place = placeOf(cpu, <u32>owner, first);
  const otherOwner = ownerOf(cpu, shared, second);
  if (otherOwner < 0) return otherOwner;
  const otherPlace = placeOf(cpu, <u32>otherOwner, second);
  const a = bucketOf(<u32>owner, place);
  const b = bucketOf(<u32>otherOwner, otherPlace);
  while (true) {
    lockBoth(cpu, a, b);
    const passed = operate(cpu, second, op);
    if (passed >= 0) {
      let woken = wakeLocked(a, <u32>owner, place, wake, 0xffff_ffff);
      if (passed != 0) woken += wakeLocked(b, <u32>otherOwner, otherPlace, wakeSecond, 0xffff_ffff);
      unlockBoth(a, b);
      return woken;
    }
    unlockBoth(a, b);
    if (passed != MISS) return passed;
    const error = fillWord(cpu, second, Access.Write);
    if (error != 0) return error;
  }
}
