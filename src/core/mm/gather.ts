/**
 * Gathers what was cleared from page tables until its shootdown is done (Linux: struct mmu_gather).
 *
 * Promise    no frame is freed while a TLB may still lead to it, and no table while a walk with interrupts off may be in
 *            it: one shootdown covers all that were gathered, and where only tables were it is a round of IPIs that
 *            flushes nothing.
 *   list     u32 × GATHER_FRAMES: frame addresses, with bit 0 for a table; the range is that of the pages
 * The list and the range belong to the CPU; a long operation flushes whenever the list is full, between two tables.
 */
import { GATHER_FRAMES, GATHER_PART } from "../sync/cpu";
import { dropPage, freeFrames } from "./frame";
import { P_GATHER_COUNT, P_GATHER_END, P_GATHER_START, P_GATHER_TABLES, P_GATHERING } from "./percpu";
import { shootRange } from "./shootdown";
import { freeTable } from "./table";

const TABLE: u32 = 1;

export function gatherBegin(cpu: usize): void {
  if (load<u32>(cpu, P_GATHERING) != 0) atomic.store<u32>(cpu, 0, P_GATHERING);
  store<u32>(cpu, 0, P_GATHER_COUNT);
  store<u32>(cpu, 0, P_GATHER_TABLES);
  store<u64>(cpu, 0xffff_ffff_ffff_ffff, P_GATHER_START);
  store<u64>(cpu, 0, P_GATHER_END);
}

/** Notes that the entry of `page` was taken away or lost rights; `frame` is freed after the flush, 0 for none. */
export function gatherPage(cpu: usize, page: u64, frame: usize): void {
  if (page < load<u64>(cpu, P_GATHER_START)) store<u64>(cpu, page, P_GATHER_START);
  if (page + 4096 > load<u64>(cpu, P_GATHER_END)) store<u64>(cpu, page + 4096, P_GATHER_END);
  if (frame != 0) append(cpu, <u32>frame);
}

/** Notes an unlinked table, freed after the flush. No table lock held: a full list is flushed first. */
export function gatherTable(cpu: usize, table: usize): void {
  if (load<u32>(cpu, P_GATHER_COUNT) == GATHER_FRAMES) gatherFlush(cpu);
  append(cpu, <u32>table | TABLE);
  store<u32>(cpu, load<u32>(cpu, P_GATHER_TABLES) + 1, P_GATHER_TABLES);
}

function append(cpu: usize, word: u32): void {
  const n = load<u32>(cpu, P_GATHER_COUNT);
  if (n == 0) atomic.store<u32>(cpu, 1, P_GATHERING);
  store<u32>(cpu + GATHER_PART + ((<usize>n) << 2), word);
  store<u32>(cpu, n + 1, P_GATHER_COUNT);
}

/** True when a whole table's worth may no longer fit. */
export function gatherFull(cpu: usize): bool {
  return load<u32>(cpu, P_GATHER_COUNT) + 512 > GATHER_FRAMES;
}

/** Shoots the range down if anything changed, then frees what was gathered. No table lock held. */
export function gatherFlush(cpu: usize): void {
  const end = load<u64>(cpu, P_GATHER_END);
  if (end != 0) shootRange(cpu, load<u64>(cpu, P_GATHER_START), end);
  else if (load<u32>(cpu, P_GATHER_TABLES) != 0) shootRange(cpu, 0, 0);
  const n = load<u32>(cpu, P_GATHER_COUNT);
  if (n != 0) release(cpu, n);
  gatherBegin(cpu);
}

/** Tables one by one; frames that nobody else has a reference to in the order of their pages, so that the next range is mapped in that order again. */
function release(cpu: usize, n: u32): void {
  const list = cpu + GATHER_PART;
  let frames: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const word = load<u32>(list + ((<usize>i) << 2));
    if ((word & TABLE) != 0) {
      freeTable(cpu, <usize>(word & ~TABLE));
      continue;
    }
    if (!dropPage(<usize>word)) continue;
    store<u32>(list + ((<usize>frames) << 2), word);
    frames++;
  }
  freeFrames(cpu, list, frames);
}
