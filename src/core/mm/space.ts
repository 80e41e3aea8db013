/**
 * The address space: one in this memory.
 *
 *   line 0   mmapLock   u32   rwlock.ts
 *   line 1   root       u32   atomic. the VMA tree. write: mmapLock (write).  peek: every fault, under RCU.
 *                             A writer's store publishes all that the new nodes and VMAs hold.
 *            change     u32   atomic. stepped after each new root (lookup.ts); mmapLock (write).  peek: every fault
 *   line 2   pgd        u32   root page table, immutable after boot
 *            generation u32   number of the tree change under way; mmapLock (write)
 *            scratch    u32   one frame for the tree's writer, immutable
 *            mapCount   u32   VMAs; mmapLock (write)
 *            brkStart   u64, brk u64, stackLimit u64   mmapLock (write)
 *   line 3   cpumask    u64×4 atomic or / and: CPUs online in the space
 *   line 4   reserve    u32 list, u32 count: tree nodes set aside for a change; mmapLock (write)
 *            dropped    u32 list of replaced nodes, until the new root is stored; mmapLock (write)
 *            released   u32 list of object records whose last mapping went; RELEASED_LOCK
 *   line 5   seq, lockSeq u32  what mmapLock's writers announce (mmapLock.ts);  users u32 atomic: CPUs online in the space
 *
 * Lock order, outermost first:
 *   mmapLock
 *     └ a VMA's lock (vmaLock.ts), under policy vma-lock; a fault takes it without mmapLock
 *     └ page-table lock of a parent
 *         └ page-table lock of its child
 *             └ slab lock, a CPU's FREE_LOCK
 *                 └ global frame lock
 *   flushLock   alone with interrupts off, under any of the above
 *   rcu.lock    try lock, alone
 */
import { SPACE } from "../sync/layout";

export const MMAP_LOCK: usize = SPACE;
export const S_ROOT: usize = SPACE + 64;
export const S_PGD: usize = SPACE + 128;
export const S_GENERATION: usize = SPACE + 132;
export const S_SCRATCH: usize = SPACE + 136;
export const S_MAP_COUNT: usize = SPACE + 140;
export const S_BRK_START: usize = SPACE + 144;
export const S_BRK: usize = SPACE + 152;
export const S_STACK_LIMIT: usize = SPACE + 160;
export const S_CPUMASK: usize = SPACE + 192;
export const S_RESERVE: usize = SPACE + 256;
export const S_RESERVE_COUNT: usize = SPACE + 260;
export const S_RELEASED_LOCK: usize = SPACE + 264;
export const S_RELEASED: usize = SPACE + 268;
export const S_DROPPED: usize = SPACE + 272;

export const S_SEQ: usize = SPACE + 320;
export const S_LOCK_SEQ: usize = SPACE + 324;
export const S_USERS: usize = SPACE + 328;
/** Beside the root: who faults reads both. */
export const S_CHANGE: usize = SPACE + 68;

/** Linux: sysctl vm.max_map_count. */
export const MAX_MAP_COUNT: u32 = 65530;
/** Pages kept free below a stack that grows (Linux: stack_guard_gap, 256 pages). */
export const STACK_GUARD: u64 = 256 << 12;
/** Nothing is mapped below without MAP_FIXED (Linux: mmap_min_addr). */
export const MMAP_MIN: u64 = 65536;

/** The VMA tree's root as of now. A fault may be inside a reader section or hold mmapLock. */
export function treeRoot(): usize {
  return <usize>atomic.load<u32>(S_ROOT);
}

export function pgd(): usize {
  return <usize>load<u32>(S_PGD);
}
