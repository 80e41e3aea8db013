/**
 * "Read A, take L, read A": before a table's lock (L) is taken for the sake of one entry (A), A's line is asked for, so that a
 * miss on it is paid with nothing held. What is found is not used: the commit reads A again under L. Chosen at boot:
 *
 *   none   the line comes when the commit looks, under the lock
 *   read   an atomic load. The line comes shared: the store under the lock still pays for taking it from the others
 *   own    the line comes for writing. wasm has no prefetch; a compare-and-swap that cannot succeed stands for it, since no entry is
 *          ever NEVER. x86 takes the line for writing whatever the comparison says (Intel SDM, CMPXCHG: "the destination operand
 *          receives a write cycle without regard to the result"); elsewhere it may come shared. Its CPU waits, as for a read
 *
 * Harmless   own stores nothing, whatever the entry is and whoever else changes it: a hart that sets A and D, an exchange that
 *            takes the entry away, another's commit, each finds what it would have found. It is a load to everyone but the caches.
 * Alive      it needs what any load of an entry needs, a table that is not freed yet. It may be unlinked and dead by now.
 *              rcu   the reader section in which the table was found, or the lock under which, lasts beyond the lock's taking
 *              irq   interrupts are off since a walk found the table linked: in lockAgain(), and in spf's mapAndLock()
 *            So no table that is another's by now is touched, or a page of data that it became.
 */
import { Pretouch } from "../abi/mman";
import { pretouching } from "../sync/layout";

/** What no entry is: a pointer to a table in frame 0, where a null pointer lands. */
const NEVER: u64 = 1;

/** Inside a section, or under a lock, that keeps the table. */
export function pretouch(slot: usize): void {
  const how = pretouching();
  if (how == <u32>Pretouch.None) return;
  if (how == <u32>Pretouch.Read) atomic.load<u64>(slot);
  else atomic.cmpxchg<u64>(slot, NEVER, NEVER);
}
