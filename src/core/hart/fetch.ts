/** hart/fetch.ts: instructions: where a page of code lies, and the last half-word of a page.
 *
 *  Straddling  a 32-bit instruction may lie across two pages. Both must be in the fetch TLB at once with no slow path
 *              between; they are neighbours, so in different slots, and a fill of one never evicts the other.         */
import { FETCH_PART } from "../sync/cpu";
import { PAGE_MASK } from "../sync/layout";
import { F_EXEC, F_PHYS } from "../sync/tlb";

function slot(cpu: usize, pc: u64): usize {
  return cpu + (<usize>(pc >> 8) & 0x3f0);
}

export function fetchable(cpu: usize, pc: u64): bool {
  return load<u64>(slot(cpu, pc), FETCH_PART + F_EXEC) == (pc & PAGE_MASK);
}

/** The frame of pc's page; only after fetchable() said yes. */
export function codePage(cpu: usize, pc: u64): usize {
  return load<u32>(slot(cpu, pc), FETCH_PART + F_PHYS);
}
