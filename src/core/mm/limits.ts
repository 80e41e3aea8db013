/**
 * The limits of a space, as setrlimit(2) sets them, and what else its owner says of it once.
 *
 *   Data, Stack, Memlock, As   RLIMIT_*, bytes
 *   Privileged                 1: CAP_IPC_LOCK and CAP_SYS_ADMIN
 *   Overcommit                 0: whatever is asked for is mapped (vm.overcommit_memory 1), as an embedder has it;
 *                              1: what alone is more than the memory is refused (vm.overcommit_memory 0), as programs have it
 *
 * Locks    takes mmapLock (write); getLimit() peeks: a limit is one word of a moment ago.
 */
import { Limit } from "../abi/limit";
import { mmapWriteLock, mmapWriteUnlock } from "./mmapLock";
import {
  S_CHECK_COMMIT,
  S_LIMIT_AS,
  S_LIMIT_DATA,
  S_LIMIT_MEMLOCK,
  S_PRIVILEGED,
  S_STACK_LIMIT,
  spaceOf,
} from "./space";

function fieldOf(what: u32): usize {
  if (what == <u32>Limit.Data) return S_LIMIT_DATA;
  if (what == <u32>Limit.Stack) return S_STACK_LIMIT;
  if (what == <u32>Limit.Memlock) return S_LIMIT_MEMLOCK;
  return what == <u32>Limit.As ? S_LIMIT_AS : 0;
}

/** Of the CPU's own space. What it does not know changes nothing. */
export function setLimit(cpu: usize, what: u32, value: u64): void {
  const field = fieldOf(what);
  mmapWriteLock(cpu);
  if (field != 0) store<u64>(spaceOf(cpu) + field, value);
  else if (what == <u32>Limit.Privileged) store<u32>(spaceOf(cpu), <u32>value, S_PRIVILEGED);
  else if (what == <u32>Limit.Overcommit) store<u32>(spaceOf(cpu), <u32>value, S_CHECK_COMMIT);
  mmapWriteUnlock(cpu);
}

/** RLIMIT_* of the CPU's own space; 0 for what it does not know. */
export function getLimit(cpu: usize, what: u32): u64 {
  const field = fieldOf(what);
  return field == 0 ? 0 : load<u64>(spaceOf(cpu) + field);
}

/** A new space has the limits of the one that its maker acts on. */
export function copyLimits(from: usize, to: usize): void {
  store<u64>(to, load<u64>(from, S_STACK_LIMIT), S_STACK_LIMIT);
  store<u64>(to, load<u64>(from, S_LIMIT_AS), S_LIMIT_AS);
  store<u64>(to, load<u64>(from, S_LIMIT_DATA), S_LIMIT_DATA);
  store<u64>(to, load<u64>(from, S_LIMIT_MEMLOCK), S_LIMIT_MEMLOCK);
  store<u32>(to, load<u32>(from, S_PRIVILEGED), S_PRIVILEGED);
  store<u32>(to, load<u32>(from, S_CHECK_COMMIT), S_CHECK_COMMIT);
}
