/**
 * The constants of the cost model: each has a name, a unit and a meaning; their values are data (machines/*.json).
 *
 * Two kinds  what the machine is, and what Linux does in a fault or a call that the core does not. The second kind is the
 *            model's own line or cost, never the core's: the core's locks, counts and entries are its code on its lines.
 */
export type Unit = "ns" | "GB/s" | "×" | "count" | "bytes" | "µs" | "yes/no";

export interface Meaning {
  readonly unit: Unit;
  readonly about: string;
  /** The greatest value allowed, where there is one; the least is 0. */
  readonly most?: number;
  readonly least?: number;
}

export const CONSTANTS = {
  instruction: { unit: "ns", about: "the core's instructions between two accesses to memory" },
  hit: { unit: "ns", about: "an access to a line in the CPU's own caches" },
  atomic: { unit: "ns", about: "an atomic operation on a line the CPU owns" },
  sibling: { unit: "ns", about: "a line comes from the other thread of the core" },
  complex: { unit: "ns", about: "a line comes from another core under the same last-level cache" },
  socket: { unit: "ns", about: "a line comes from another complex of the socket" },
  remote: { unit: "ns", about: "a line comes from another socket" },
  memory: { unit: "ns", about: "a line comes from memory" },
  stream: { unit: "ns", about: "the line after the last one that missed: prefetched" },
  retain: {
    unit: "×",
    about: "how long a contended line stays where it arrived before it is taken on, in ways within a last-level cache",
  },
  storeBehind: {
    unit: "yes/no",
    about: "a store right behind an atomic operation on a contended line finds it gone, and fetches it again",
    most: 1,
  },
  serve: { unit: "ns", about: "a read of a line that several have occupies it for so long" },
  bypass: { unit: "count", about: "how many nearer requests may overtake a waiting request for a line" },
  zero: { unit: "ns", about: "clearing 4 KiB" },
  copy: { unit: "ns", about: "copying 4 KiB" },
  bandwidth: { unit: "GB/s", about: "memory bandwidth of a socket", least: 0.001 },
  siblingSlowdown: { unit: "×", about: "how much slower a thread runs while its sibling runs", least: 1 },
  allCoreSlowdown: { unit: "×", about: "how much slower the clock is with every core busy than with one", least: 1 },
  ipiSend: { unit: "ns", about: "sending an interrupt to the first CPU of a round" },
  ipiTarget: { unit: "ns", about: "sending it to each further one" },
  ipiSocket: { unit: "ns", about: "until it arrives within the socket" },
  ipiRemote: { unit: "ns", about: "until it arrives in another socket" },
  interrupt: { unit: "ns", about: "entering and leaving an interrupt handler" },
  flushPage: { unit: "ns", about: "dropping one page from the own TLB" },
  broadcast: { unit: "ns", about: "a TLB invalidation that hardware broadcasts, until it is complete" },
  broadcastFrom: { unit: "count", about: "so many CPUs must run in the space for a flush to be broadcast", least: 1 },
  broadcastBusy: { unit: "ns", about: "the next such invalidation, of whatever CPU, waits for so long" },
  sleep: { unit: "ns", about: "going to sleep: the switch to the idle task" },
  wake: { unit: "ns", about: "waking a sleeper: what the waker pays" },
  wakeUp: { unit: "ns", about: "from being woken to running" },
  gracePeriod: { unit: "µs", about: "a grace period of the kernel's RCU, begin to end" },
  fault: { unit: "ns", about: "one anonymous write fault, one thread, under mmapLock, all in" },
  call: { unit: "ns", about: "what the kernel does in a memory call beside the core's work" },
  prefetchLock: { unit: "yes/no", about: "the fault's entry prefetches mmapLock's line for writing", most: 1 },
  pgdBesideLock: {
    unit: "yes/no",
    about: "the pointer to the page tables, which every walk reads, lies in mmapLock's line",
    most: 1,
  },
  sequenceBesideLock: { unit: "yes/no", about: "the sequence counts lie in mmapLock's line", most: 1 },
  flushQueueTogether: {
    unit: "yes/no",
    about:
      "all that is written in a target's area to ask it for a flush lies in one line; in the core it lies in three",
    most: 1,
  },
  lockReadOwns: {
    unit: "yes/no",
    about:
      "the core reads a semaphore's word before it changes it, Linux does not: that read asks for the line for writing. A reference count is read first in both",
    most: 1,
  },
  vmaSequenceBesideLock: {
    unit: "yes/no",
    about: "a VMA's sequence number lies in the line of its lock, as in the core",
    most: 1,
  },
  vmaLockApart: {
    unit: "yes/no",
    about: "a VMA's lock is not in the VMA's line, as in the core",
    most: 1,
  },
  vmaLockBytes: {
    unit: "bytes",
    about: "so densely lie the locks of VMAs, where they are apart: with less than a line, neighbours share one",
    least: 1,
    most: 64,
  },
  vmaOwnerBesideLock: {
    unit: "yes/no",
    about: "a VMA's semaphore stores its owner beside its count; its reference count has none",
    most: 1,
  },
  ownerBesideLock: {
    unit: "yes/no",
    about: "a semaphore's owner, stored at each taking, lies in the line of its count",
    most: 1,
  },
  localShare: { unit: "×", about: "threads fewer than this share of a socket's CPUs stay in one socket", most: 1 },
  zoneBatch: { unit: "count", about: "frames a CPU takes from the zone at a time", least: 1 },
  zoneHold: { unit: "ns", about: "the zone's lock is held for each frame of a batch" },
  lruBatch: { unit: "count", about: "pages a CPU gathers before it puts them on the LRU list", least: 1 },
  lruHold: { unit: "ns", about: "the LRU lock is held for each page of a batch" },
  lruLines: {
    unit: "count",
    about: "lines of the list that are written under the LRU lock, and that who had it last has",
  },
  zapPending: {
    unit: "yes/no",
    about: "unmapping counts itself in and out in a word of the space",
    most: 1,
  },
  tlbGeneration: {
    unit: "yes/no",
    about: "each flush takes a number from a word of the space",
    most: 1,
  },
  zapDrains: {
    unit: "yes/no",
    about: "unmapping first puts what its CPU gathered on the LRU list",
    most: 1,
  },
  handOff: { unit: "count", about: "ways of a queued lock's line from its release to who waits, where somebody waits" },
  chargeBatch: { unit: "count", about: "pages a CPU charges to the memory cgroup at a time", least: 1 },
  chargeLevels: { unit: "count", about: "counters that a charge adds to" },
} as const satisfies Record<string, Meaning>;

export type ConstantName = keyof typeof CONSTANTS;
export type Values = Readonly<Record<ConstantName, number>>;
