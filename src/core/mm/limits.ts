/**
 * The limits of a space, as setrlimit(2) sets them, and what else its owner says of it once.
 *
 *   Data, Stack, Memlock, As   RLIMIT_*, bytes: what binds. With Hard added: the ceiling, which only setrlimit(2) looks at
 *   Privileged                 1: CAP_IPC_LOCK and CAP_SYS_ADMIN
 *   Overcommit                 0: whatever is asked for is mapped (vm.overcommit_memory 1), as an embedder has it;
 *                              1: what alone is more than the memory is refused (vm.overcommit_memory 0), as programs have it
 *
 * Locks    takes mmapLock (write), of any space that the caller holds: a change of limits is no change of VMAs, so it is not announced
 *          to those who fault without the lock (mmapLock.ts).
 * Linux    kernel/sys.c:do_prlimit
 */
import { Errno } from "../abi/errno";
import { Limit } from "../abi/limit";
import { writeLock, writeUnlock } from "../sync/rwlock";
import {
  MMAP_LOCK,
  S_CHECK_COMMIT,
  S_HARD,
  S_LIMIT_AS,
  S_LIMIT_DATA,
  S_LIMIT_MEMLOCK,
  S_PRIVILEGED,
  S_STACK_LIMIT,
  spaceOf,
} from "./space";

const UNLIMITED: u64 = 0xffff_ffff_ffff_ffff;
/** Linux's defaults. */
const STACK_BYTES: u64 = 8 << 20;
const MEMLOCK_BYTES: u64 = 8 << 20;

function fieldOf(what: u32): usize {
  const hard = (what & Limit.Hard) != 0;
  const resource = what & ~(<u32>Limit.Hard);
  if (resource == <u32>Limit.Data) return hard ? S_HARD : S_LIMIT_DATA;
  if (resource == <u32>Limit.Stack) return hard ? S_HARD + 8 : S_STACK_LIMIT;
  if (resource == <u32>Limit.Memlock) return hard ? S_HARD + 16 : S_LIMIT_MEMLOCK;
  if (resource == <u32>Limit.As) return hard ? S_HARD + 24 : S_LIMIT_AS;
  return 0;
}

/** Of a space that boot made. */
export function initLimits(space: usize): void {
  for (let i: usize = 0; i < 4; i++) store<u64>(space + S_HARD + (i << 3), UNLIMITED);
  store<u64>(space, MEMLOCK_BYTES, S_HARD + 16);
  store<u64>(space, UNLIMITED, S_LIMIT_AS);
  store<u64>(space, UNLIMITED, S_LIMIT_DATA);
  store<u64>(space, STACK_BYTES, S_STACK_LIMIT);
  store<u64>(space, MEMLOCK_BYTES, S_LIMIT_MEMLOCK);
}

/** Of the CPU's own space. What it does not know changes nothing. */
export function setLimit(cpu: usize, what: u32, value: u64): void {
  const field = fieldOf(what);
  const space = spaceOf(cpu);
  writeLock(cpu, space + MMAP_LOCK);
  if (field != 0) store<u64>(space + field, value);
  else if (what == <u32>Limit.Privileged) store<u32>(space, <u32>value, S_PRIVILEGED);
  else if (what == <u32>Limit.Overcommit) store<u32>(space, <u32>value, S_CHECK_COMMIT);
  writeUnlock(cpu, space + MMAP_LOCK);
}

/** prlimit64(2) of one that binds memory: what was goes to `out`, soft and hard, then `given` puts `soft` and `hard` in its place. -EPERM:
 *  a ceiling would rise, and only who `mayRaise` may do that. */
export function changeLimit(
  cpu: usize,
  space: usize,
  what: u32,
  out: usize,
  given: bool,
  soft: u64,
  hard: u64,
  mayRaise: bool,
): i32 {
  const field = space + fieldOf(what);
  const ceiling = space + fieldOf(what | <u32>Limit.Hard);
  writeLock(cpu, space + MMAP_LOCK);
  const before = load<u64>(ceiling);
  const refused = given && hard > before && !mayRaise;
  store<u64>(out, load<u64>(field));
  store<u64>(out, before, 8);
  if (given && !refused) {
    store<u64>(field, soft);
    store<u64>(ceiling, hard);
  }
  writeUnlock(cpu, space + MMAP_LOCK);
  return refused ? -Errno.EPERM : 0;
}

/** For a space that nobody else knows yet, under mmapLock of the other. */
export function copyLimits(from: usize, to: usize): void {
  store<u64>(to, load<u64>(from, S_STACK_LIMIT), S_STACK_LIMIT);
  store<u64>(to, load<u64>(from, S_LIMIT_AS), S_LIMIT_AS);
  store<u64>(to, load<u64>(from, S_LIMIT_DATA), S_LIMIT_DATA);
  store<u64>(to, load<u64>(from, S_LIMIT_MEMLOCK), S_LIMIT_MEMLOCK);
  for (let i: usize = 0; i < 32; i += 8) store<u64>(to + S_HARD + i, load<u64>(from + S_HARD + i));
  store<u32>(to, load<u32>(from, S_PRIVILEGED), S_PRIVILEGED);
  store<u32>(to, load<u32>(from, S_CHECK_COMMIT), S_CHECK_COMMIT);
}
