/**
 * The address space. Every field is an offset from the record's first byte; `spaceOf(cpu)` is the space a CPU acts on.
 *
 *   line 0   mmapLock   u32   rwlock.ts
 *   line 1   root       u32   atomic. the VMA tree. write: mmapLock (write).  peek: every fault, under RCU.
 *                             A writer's store publishes all that the new nodes and VMAs hold.
 *            change     u32   atomic. stepped after each new root (lookup.ts); mmapLock (write).  peek: every fault
 *            copying    u32   atomic. 1 while fork copies the space; mmapLock (write).  exact: faults, under a leaf's lock
 *   line 2   pgd        u32   root page table, immutable
 *            generation u32   number of the tree change under way; mmapLock (write)
 *            scratch    u32   one frame for the tree's writer, immutable
 *            mapCount   u32   VMAs; mmapLock (write)
 *            brkStart   u64, brk u64, stackLimit u64   mmapLock (write)
 *   line 3-4 cpumask    u64×16 atomic or / and, by a CPU that joins or leaves: CPUs online in the space.  peek: shootdowns, as many
 *                             words as hold CPUs that were ever online (maskWords). A line of 512 CPUs: most machines have the first only.
 *   line 5   reserve    u32 list, u32 count: tree nodes set aside for a change; mmapLock (write)
 *            dropped    u32 list of replaced nodes, until the new root is stored; mmapLock (write)
 *   line 6   seq, lockSeq u32  what mmapLock's writers announce (mmapLock.ts);  users u32 atomic: CPUs online in the space
 *   line 7   refs       u32   atomic. processes that have it, and who looks into it from outside; 0: being taken down
 *            next, prev u32   all spaces (lifecycle.ts), under SPACES_LOCK
 *            future     u32   VM flags that new mappings get: mlockall(MCL_FUTURE); mmapLock (write)
 *            totalVm, dataVm, lockedVm  u32   pages of VMAs, of private writable ones, of locked ones; mmapLock (write)
 *            limitAs, limitData, limitMemlock  u64  RLIMIT_*, bytes; mmapLock (write)
 *            stackStart u64   where the first thread's stack begins, for /proc; set by the loader
 *   line 8   committed  u32   pages of VM_ACCOUNT; mmapLock (write)
 *            hard       u64×4 ceilings of the limits (limits.ts); mmapLock (write)
 *            privileged u32   1: RLIMIT_MEMLOCK does not bind (CAP_IPC_LOCK); mmapLock (write)
 *            membarrier u32   atomic or: registrations (membarrier.ts)
 *            checkCommit u32  1: what is more than the memory is refused (limits.ts); mmapLock (write)
 *
 * Which one   C_SPACE of a CPU: the space whose threads it runs, or, for the length of one call, one it looks into from
 *             outside (enterSpace). Private to the CPU; an interrupt does not read it.
 *
 * Lock order, outermost first:
 *   mmapLock                                of two spaces: the parent's, then the child's (fork.ts)
 *     └ a VMA's lock (vmaLock.ts), under policy vma-lock; a fault takes it without mmapLock
 *     └ an object's MAPS lock (object.ts)
 *         └ page-table lock of a parent
 *             └ page-table lock of its child; of a parent's leaf, then of the child's (fork.ts, mremap.ts)
 *                 └ an object's CACHE lock
 *                 └ slab lock, a CPU's FREE_LOCK
 *                     └ global frame lock
 *   flushLock   alone with interrupts off, under any of the above
 *   rcu.lock    try lock, alone
 */
import { C_SPACE } from "../sync/cpu";
import { P_FOUND_VMA } from "./percpu";

export const SPACE_BYTES: u32 = 576;

export const MMAP_LOCK: usize = 0;
export const S_ROOT: usize = 64;
/** Beside the root: who faults reads both. */
export const S_CHANGE: usize = 68;
export const S_COPYING: usize = 72;
export const S_PGD: usize = 128;
export const S_GENERATION: usize = 132;
export const S_SCRATCH: usize = 136;
export const S_MAP_COUNT: usize = 140;
export const S_BRK_START: usize = 144;
export const S_BRK: usize = 152;
export const S_STACK_LIMIT: usize = 160;
export const S_CPUMASK: usize = 192;
export const S_RESERVE: usize = 320;
export const S_RESERVE_COUNT: usize = 324;
export const S_DROPPED: usize = 336;

export const S_SEQ: usize = 384;
export const S_LOCK_SEQ: usize = 388;
export const S_USERS: usize = 392;

export const S_REFS: usize = 448;
export const S_NEXT_SPACE: usize = 452;
export const S_PREV_SPACE: usize = 456;
export const S_FUTURE: usize = 460;
export const S_TOTAL_VM: usize = 464;
export const S_DATA_VM: usize = 468;
export const S_LOCKED_VM: usize = 472;
export const S_LIMIT_AS: usize = 480;
export const S_LIMIT_DATA: usize = 488;
export const S_LIMIT_MEMLOCK: usize = 496;
export const S_STACK_START: usize = 504;
/** The ceilings that setrlimit(2) keeps: data, stack, memlock, as. */
export const S_HARD: usize = 512;
export const S_COMMITTED: usize = 544;
export const S_PRIVILEGED: usize = 548;
export const S_CHECK_COMMIT: usize = 552;
export const S_MEMBARRIER: usize = 556;

/** Linux: sysctl vm.max_map_count. */
export const MAX_MAP_COUNT: u32 = 65530;
/** Pages kept free below a stack that grows (Linux: stack_guard_gap, 256 pages). */
export const STACK_GUARD: u64 = 256 << 12;
/** Nothing is mapped below without MAP_FIXED (Linux: mmap_min_addr). */
export const MMAP_MIN: u64 = 65536;

/** The space that a CPU acts on. */
export function spaceOf(cpu: usize): usize {
  return <usize>load<u32>(cpu, C_SPACE);
}

/** From here on the CPU acts on `space`; returns the one before. The VMA found last belongs to that. */
export function enterSpace(cpu: usize, space: usize): usize {
  const before = spaceOf(cpu);
  store<u32>(cpu, <u32>space, C_SPACE);
  store<u32>(cpu, 0, P_FOUND_VMA);
  return before;
}

/** The VMA tree's root as of now. A fault may be inside a reader section or hold mmapLock. */
export function treeRoot(cpu: usize): usize {
  return <usize>atomic.load<u32>(spaceOf(cpu), S_ROOT);
}

export function pgd(cpu: usize): usize {
  return <usize>load<u32>(spaceOf(cpu), S_PGD);
}
