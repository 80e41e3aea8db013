/**
 * The VMA of an address, as every fault looks it up: the one found last, if the tree has not changed since, else by search.
 *
 * Why right  S_CHANGE is stepped after a new root is stored and before any VMA it left out is detached and deferred. We
 *            load it first. Equal to what it was when the VMA was found: the change that removes it had not been stepped,
 *            so its deferral comes after our reader section began, and the record lives until that ends.
 *            A VMA whose removal is under way may still be returned: as if the search had been a moment earlier.
 *            It was found with S_CHANGE loaded before the root: a root newer than the number only ends the entry sooner.
 * Wraps      the number would have to come round between two faults of one CPU: 2^32 changes of the map.
 * Held       across polls, but never followed before the number was compared (design protocol 6).
 * Linux      mm/vmacache.c, until 6.1
 */
import { P_FOUND_CHANGE, P_FOUND_VMA } from "./percpu";
import { S_CHANGE, spaceOf, treeRoot } from "./space";
import { find } from "./tree";
import { vmaEnd, vmaStart } from "./vma";

/** The VMA that contains va, or 0. In a reader section, or under mmapLock. */
export function findVma(cpu: usize, va: u64): usize {
  const change = atomic.load<u32>(spaceOf(cpu), S_CHANGE);
  const last = <usize>load<u32>(cpu, P_FOUND_VMA);
  if (last != 0 && load<u32>(cpu, P_FOUND_CHANGE) == change && va >= vmaStart(last) && va < vmaEnd(last)) return last;
  const vma = find(treeRoot(cpu), va);
  store<u32>(cpu, <u32>vma, P_FOUND_VMA);
  store<u32>(cpu, change, P_FOUND_CHANGE);
  return vma;
}
