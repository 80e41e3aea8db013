/**
 * The scenarios: small, so that many orders are seen; each about one race of the memory manager.
 *
 *   A, B, C   pages of one leaf table.  FAR   a page of another leaf table, so that unmapping it retires a table
 *   NEXT      the same in a third leaf table, which shares FAR's block where blocks hold two
 *   N         mapped beside A: unmapping A leaves the leaf table in place, with work for others in it
 */
import { dontNeed, leave, map, moveBrk, PAGE, protect, read, settle, unmap, write } from "./operations.js";
import type { Scenario } from "./scenario.js";

const A = 0x4000_0000;
const B = A + PAGE;
const C = B + PAGE;
const N = A + 16 * PAGE;
const FAR = A + 0x20_0000;
const NEXT = FAR + 0x20_0000;
const HEAP = 0x5000_0000;
const R = 1;
const RW = 3;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "fault-munmap",
    about: "a write fault races the unmapping of its page; the table stays, for a neighbour",
    before: [
      { at: A, pages: 1, prot: RW },
      { at: N, pages: 1, prot: RW, state: "touched" },
    ],
    actors: [
      [write(A, 7), read(A)],
      [unmap(A, 1), read(A)],
    ],
  },
  {
    name: "walk-munmap-table",
    about: "a walk races an unmapping that retires the table in its hands; no shootdown holds the unmapping up",
    before: [{ at: FAR, pages: 2, prot: RW, state: "emptied" }],
    actors: [[write(FAR, 7), read(FAR + PAGE)], [unmap(FAR, 2)]],
  },
  {
    name: "two-tables",
    about: "two tables retired one after the other, the second when a grace period has begun, with a walk in it",
    before: [
      { at: FAR, pages: 1, prot: RW, state: "emptied" },
      { at: NEXT, pages: 6, prot: RW, state: "emptied" },
    ],
    actors: [
      [read(NEXT), read(NEXT + PAGE), write(NEXT + 2 * PAGE, 7), read(NEXT + 3 * PAGE), write(NEXT + 4 * PAGE, 8)],
      [unmap(FAR, 1), settle(1), unmap(NEXT, 6), settle(3)],
    ],
  },
  {
    name: "fault-munmap-table",
    about: "the same with frames to shoot down, a grace period, and a new mapping in the old place",
    before: [{ at: FAR, pages: 2, prot: RW, state: "touched" }],
    actors: [
      [write(FAR, 7), read(FAR + PAGE), write(FAR, 8)],
      [unmap(FAR, 2), settle(), map(FAR, 2, RW), read(FAR)],
    ],
  },
  {
    name: "fault-fault",
    about: "two faults on one page, through tables that are not there yet",
    before: [{ at: A, pages: 1, prot: RW }],
    actors: [
      [write(A, 1), read(A + 1)],
      [write(A + 1, 2), read(A)],
    ],
  },
  {
    name: "zero-page-upgrade",
    about: "readers hold the zero page when a write replaces it",
    before: [{ at: A, pages: 1, prot: RW }],
    actors: [
      [read(A), read(A), read(A)],
      [read(A), write(A, 3), read(A)],
    ],
  },
  {
    name: "fault-mprotect",
    about: "a write races the taking away of its right, and its return",
    before: [{ at: A, pages: 2, prot: RW, state: "touched" }],
    actors: [
      [write(A, 5), write(A, 6), read(A)],
      [protect(A, 1, R), read(A), protect(A, 1, RW)],
    ],
  },
  {
    name: "fault-remap",
    about: "munmap and mmap at the same place beside a fault: old and new contents never mix",
    before: [
      { at: A, pages: 1, prot: RW, state: "framed" },
      { at: N, pages: 1, prot: RW, state: "touched" },
    ],
    actors: [
      [write(A, 9), read(A), read(A)],
      [unmap(A, 1), map(A, 1, RW), read(A)],
    ],
  },
  {
    name: "fault-dontneed",
    about: "MADV_DONTNEED races writes: a page is old or zero, and never another's",
    before: [{ at: A, pages: 2, prot: RW, state: "touched" }],
    actors: [
      [write(A, 1), read(A), write(B, 2)],
      [dontNeed(A, 2), read(A), read(B)],
    ],
  },
  {
    name: "munmap-munmap",
    about: "two unmappings overlap, and split the same mapping",
    before: [{ at: A, pages: 6, prot: RW, state: "touched" }],
    actors: [
      [unmap(B, 3), read(B)],
      [unmap(A, 2), read(A), read(C)],
    ],
  },
  {
    name: "heap",
    about: "the heap grows and shrinks beside accesses to it",
    before: [{ at: N, pages: 1, prot: RW }],
    heap: HEAP,
    actors: [
      [moveBrk(HEAP, HEAP + 2 * PAGE), write(HEAP, 4), moveBrk(HEAP + 2 * PAGE, HEAP), settle()],
      [write(HEAP, 5), read(HEAP), write(HEAP + PAGE, 6)],
    ],
  },
  {
    name: "leave",
    about: "a CPU leaves the space while another shoots it down",
    before: [{ at: A, pages: 2, prot: RW, state: "touched" }],
    actors: [
      [unmap(A, 1), read(A), write(B, 3)],
      [write(B, 2), read(A), leave()],
    ],
  },
  {
    name: "three-mixed",
    about: "three actors: faults, an unmapping that splits, rights that change, and a grace period",
    before: [{ at: A, pages: 4, prot: RW, state: "touched" }],
    actors: [
      [write(A, 1), read(B), write(B, 2)],
      [unmap(B, 1), settle(), read(B)],
      [protect(A, 3, R), map(B, 1, RW), write(B, 3)],
    ],
  },
  {
    name: "three-tables",
    about: "three actors: two faults through a table that a third retires and maps anew",
    before: [
      { at: FAR, pages: 1, prot: RW, state: "touched" },
      { at: N, pages: 1, prot: RW },
    ],
    actors: [
      [write(FAR, 1), read(FAR)],
      [read(FAR), write(FAR + 1, 2)],
      [unmap(FAR, 1), settle(), map(FAR, 2, RW)],
    ],
  },
];

export function scenario(name: string): Scenario {
  const found = SCENARIOS.find((s) => s.name === name);
  if (!found) throw new Error(`no scenario ${name}`);
  return found;
}
