/**
 * Moves the entries of a range to another place in the same space, table by table.
 *
 * Promise    when it returns true every entry of the range, with its A and D bits, is at the new place, markers included, and
 *            no hart reads or writes through the old one. False: no table was to be had; everything is where it was.
 * Called     with mmapLock (write); the VMAs of both ranges are out of the tree and detached, `to` holds no entry. `vma` is the
 *            mapping that comes at `to`, which nobody has seen: tables are linked on its behalf.
 * Algorithm  for each piece that lies in one leaf table on either side: allocate the table at `to`; lock both; take V away from
 *            each old entry, which harts read as nothing; flush; swap each for 0 and store it, with V again, in the new slot;
 *            unlock.
 * Race       | a hart with a stale translation    | move, under both locks             | fault on the new place
 *            | stores to the frame                | old.V = 0                          |
 *            |                                    | flush; waits for the answer        | waits for mmapLock: no VMA
 *            | answers; its next access faults    | old = 0; new = entry               |
 *            | finds no VMA; waits for mmapLock   | unlock both                        |
 *            Had a lock gone before the flush, whoever unmaps the new place could free the frame under the stale translation.
 *            A store through it before the answer is before the move; D was set before the translation could write.
 *            | fault on the old place             | move
 *            | found the VMA under RCU            | detached = 1
 *            | lock old leaf                      | lock old leaf: waits
 *            | detached? no: installs; unlock     | finds the entry, and moves it
 *            The other way round the fault sees `detached` and looks up again. A leaf that was not found has nothing to move: who
 *            links it later looks at the mark once more before it enters a page, and that is after our walk, hence after the mark.
 *            It goes with the hole's other tables (retire.ts).
 * Locks      both leaf tables, the lower address first. No other pair of leaves is taken in a space while mmapLock is held for
 *            writing.
 * Linux      mm/mremap.c:move_page_tables, move_ptes
 */
import { Outcome } from "./outcome";
import { entryAt, isMarker, PTE_HELD, PTE_V } from "./pte";
import { shootRange } from "./shootdown";
import { addUsedLocked, lockTable, unlockTable } from "./table";
import { ensureTables, walkLeaf } from "./walk";

const SPAN: u64 = 0x20_0000;

/** Moves [from, from + bytes) to `to`; the ranges do not overlap. */
export function moveRange(cpu: usize, from: u64, bytes: u64, to: u64, vma: usize): bool {
  let done: u64 = 0;
  while (done < bytes) {
    const piece = pieceOf(from + done, to + done, bytes - done);
    const old = walkLeaf(cpu, from + done);
    if (old != 0) {
      if (ensureTables(cpu, vma, to + done) != <u32>Outcome.Done) {
        moveBack(cpu, from, done, to);
        return false;
      }
      movePiece(cpu, old, from + done, walkLeaf(cpu, to + done), to + done, piece);
    }
    done += piece;
  }
  return true;
}

/** Every table it needs is there still. */
function moveBack(cpu: usize, from: u64, bytes: u64, to: u64): void {
  let done: u64 = 0;
  while (done < bytes) {
    const piece = pieceOf(from + done, to + done, bytes - done);
    const old = walkLeaf(cpu, from + done);
    if (old != 0) movePiece(cpu, walkLeaf(cpu, to + done), to + done, old, from + done, piece);
    done += piece;
  }
}

/** Bytes up to the first end of a leaf table, of either side. */
function pieceOf(from: u64, to: u64, most: u64): u64 {
  const left = SPAN - (from & (SPAN - 1));
  const right = SPAN - (to & (SPAN - 1));
  const piece = left < right ? left : right;
  return piece < most ? piece : most;
}

function movePiece(cpu: usize, old: usize, from: u64, fresh: usize, to: u64, bytes: u64): void {
  lockTable(cpu, old < fresh ? old : fresh);
  if (old != fresh) lockTable(cpu, old < fresh ? fresh : old);
  if (closeLocked(old, from, bytes)) shootRange(cpu, from, from + bytes);
  let moved: i32 = 0;
  for (let at: u64 = 0; at < bytes; at += 4096) {
    if (moveEntry(entryAt(old, from + at, 0), entryAt(fresh, to + at, 0))) moved++;
  }
  addUsedLocked(old, -moved);
  addUsedLocked(fresh, moved);
  if (old != fresh) unlockTable(cpu, old < fresh ? fresh : old);
  unlockTable(cpu, old < fresh ? old : fresh);
}

/** Takes V away from every entry; true when one had it. R, W and X stay, for when it is given back. */
function closeLocked(leaf: usize, start: u64, bytes: u64): bool {
  let open = false;
  for (let at: u64 = 0; at < bytes; at += 4096) {
    const slot = entryAt(leaf, start + at, 0);
    if ((atomic.load<u64>(slot) & PTE_V) == 0) continue;
    atomic.and<u64>(slot, ~PTE_V);
    open = true;
  }
  return open;
}

/** False: there was nothing. Nobody else changes an entry without V, and both leaves are locked. */
function moveEntry(from: usize, to: usize): bool {
  const entry = atomic.xchg<u64>(from, 0);
  if (entry == 0) return false;
  atomic.store<u64>(to, (entry & PTE_HELD) != 0 || isMarker(entry) ? entry : entry | PTE_V);
  return true;
}
