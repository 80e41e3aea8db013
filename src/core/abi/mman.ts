/** Constants of mmap(2), mprotect(2) and madvise(2) as riscv64 Linux numbers them. */
export enum Prot {
  None = 0,
  Read = 1,
  Write = 2,
  Exec = 4,
  GrowsDown = 0x01000000,
  GrowsUp = 0x02000000,
}

export enum MapFlag {
  /** With MAP_ANONYMOUS: what may be lost when memory is short. */
  Droppable = 0x08,
  Shared = 0x01,
  Private = 0x02,
  SharedValidate = 0x03,
  TypeMask = 0x0f,
  Fixed = 0x10,
  Anonymous = 0x20,
  GrowsDown = 0x100,
  DenyWrite = 0x800,
  Executable = 0x1000,
  Locked = 0x2000,
  NoReserve = 0x4000,
  Populate = 0x8000,
  NonBlock = 0x10000,
  Stack = 0x20000,
  HugeTlb = 0x40000,
  Sync = 0x80000,
  FixedNoReplace = 0x100000,
  Uninitialized = 0x4000000,
  /** Not of mmap(2): the file was opened read-only, so a shared mapping may never become writable. */
  NoWrite = 0x8000_0000,
}

export enum MremapFlag {
  MayMove = 1,
  Fixed = 2,
  DontUnmap = 4,
}

export enum MlockFlag {
  /** mlock2 */
  OnFault = 1,
  /** mlockall */
  Current = 1,
  Future = 2,
  AllOnFault = 4,
  AllFlags = 7,
}

export enum MsyncFlag {
  Async = 1,
  Invalidate = 2,
  Sync = 4,
}

/** How populateRange() touches pages: mm/populate.ts. */
export enum Populate {
  Touch = 0,
  Locked = 1,
  Read = 2,
  Write = 3,
}

export enum Advice {
  Normal = 0,
  Random = 1,
  Sequential = 2,
  WillNeed = 3,
  DontNeed = 4,
  Free = 8,
  Remove = 9,
  DontFork = 10,
  DoFork = 11,
  Mergeable = 12,
  Unmergeable = 13,
  HugePage = 14,
  NoHugePage = 15,
  DontDump = 16,
  DoDump = 17,
  WipeOnFork = 18,
  KeepOnFork = 19,
  Cold = 20,
  PageOut = 21,
  PopulateRead = 22,
  PopulateWrite = 23,
  DontNeedLocked = 24,
  Collapse = 25,
  HwPoison = 100,
  SoftOffline = 101,
  GuardInstall = 102,
  GuardRemove = 103,
}

/** How a fault is synchronised with changes to the address space. */
export enum Policy {
  MmapLock = 0,
  Optimistic = 1,
  /** The speculative faults of the 2021 patchset. */
  Spf = 2,
  /** Per-VMA locks: a reader-writer semaphore in each VMA, as Linux 6.4. */
  VmaLock = 3,
  /** Per-VMA locks as Linux 6.15 has them: a reference count. */
  VmaRefcount = 4,
}

/** What keeps a page table alive under a walker that holds no lock. */
export enum Tables {
  /** A reader section; tables are freed after a grace period. */
  Rcu = 0,
  /** Interrupts off for the walk; tables are freed after a round of IPIs. */
  Irq = 1,
}

/** How a fault asks for its entry's line before it takes the table's lock (mm/pretouch.ts). */
export enum Pretouch {
  None = 0,
  Read = 1,
  /** For writing. */
  Own = 2,
}

/** How many tables one block holds. */
export enum Layout {
  /** One table in each block. */
  Page = 0,
  /** Two: each is reused after its own grace period. */
  Halves = 1,
  /** Sixteen: none is reused before the whole block is free. */
  Fragments = 2,
}
