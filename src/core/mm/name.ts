/**
 * The name that prctl(PR_SET_VMA_ANON_NAME) gives a mapping: a record that its VMAs share, counted.
 *
 *    0     4        12    16      20                      100
 *   ┌─────┬────────┬─────┬───────┬───────────────────────┬────────┐
 *   │refs │   -    │link │length │ bytes, at most 79     │   -    │  128 bytes
 *   └─────┴────────┴─────┴───────┴───────────────────────┴────────┘
 *   refs     u32 atomic: VMAs in a tree, of any space, and whoever is about to make one
 *   length, bytes   immutable once the record is in use
 *
 * Promise    neighbours merge when their names have the same bytes, as Linux compares them. A name is read by who holds
 *            mmapLock: the VMA that holds it is in the tree.
 * Linux      mm/madvise.c:anon_vma_name_alloc, include/linux/mm_inline.h:anon_vma_name_eq
 */
import { SLAB_NAME, slabAlloc, slabFree } from "./slab";

export const NAME_BYTES: u32 = 128;
/** Bytes of a name, without the NUL that Linux counts among its 80. */
export const NAME_MAX: u32 = 79;
const NAME_LENGTH: usize = 16;
const NAME_TEXT: usize = 20;

/** A name of `length` bytes at `text`, with one reference; 0 when out of memory. */
export function newName(cpu: usize, text: usize, length: u32): usize {
  const name = slabAlloc(cpu, SLAB_NAME);
  if (name == 0) return 0;
  atomic.store<u32>(name, 1);
  store<u32>(name, length, NAME_LENGTH);
  memory.copy(name + NAME_TEXT, text, length);
  return name;
}

export function holdName(name: usize): void {
  if (name != 0) atomic.add<u32>(name, 1);
}

export function dropName(cpu: usize, name: usize): void {
  if (name != 0 && atomic.sub<u32>(name, 1) == 1) slabFree(cpu, SLAB_NAME, name);
}

/** Copies the name's bytes to `to`; their number, 0 for no name. */
export function nameText(name: usize, to: usize): u32 {
  if (name == 0) return 0;
  const length = load<u32>(name, NAME_LENGTH);
  memory.copy(to, name + NAME_TEXT, length);
  return length;
}

export function sameName(a: usize, b: usize): bool {
  if (a == b) return true;
  if (a == 0 || b == 0 || load<u32>(a, NAME_LENGTH) != load<u32>(b, NAME_LENGTH)) return false;
  return memory.compare(a + NAME_TEXT, b + NAME_TEXT, load<u32>(a, NAME_LENGTH)) == 0;
}
