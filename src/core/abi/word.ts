/** What `cpuWord(i, word)` and `threadWord(i, word)` tell of one CPU: for a state dump, so racy. */
export enum CpuWord {
  Online = 0,
  Idle = 1,
  Asleep = 2,
  Pending = 3,
  FlushRequested = 4,
  FlushDone = 5,
  QuiescentFor = 6,
  Deferred = 7,
}

export enum ThreadWord {
  State = 0,
  Tid = 1,
  /** Address of the futex bucket the thread is queued in; 0 when it is in none. */
  Bucket = 2,
  /** Id of the process; 0 while it is no thread. */
  Pid = 3,
}

/** What `ownLong(cpu, which)` and `setOwnLong` keep of a thread: its alternate stack, name and addresses, u64 each. */
export enum ThreadLong {
  AltSp = 0,
  AltSize = 1,
  AltFlags = 2,
  /** Sixteen bytes with the NULs. */
  NameLow = 3,
  NameHigh = 4,
  Robust = 5,
  ClearTid = 6,
  /** Where a new thread writes its id first (CLONE_CHILD_SETTID); 0 nowhere. */
  SetTid = 7,
}

/** How `claimWorker` makes what the worker will run. */
export enum ClaimFlag {
  /** A process of its own, a copy of the caller's; else a thread of the caller's. */
  Process = 1,
  /** The table of dispositions is the parent's, not a copy (CLONE_SIGHAND). */
  ShareActions = 2,
  /** Handlers become the default (CLONE_CLEAR_SIGHAND). */
  ClearActions = 4,
  /** The caller's parent is the parent (CLONE_PARENT). */
  Sibling = 8,
  /** The alternate stack is copied. */
  AltStack = 16,
  /** The caller will wait in awaitVfork(). */
  Vfork = 32,
}

/** What `processWord(pid, what)` tells of a process; racy. */
export enum ProcessWord {
  Parent = 0,
  Group = 1,
  Session = 2,
  Threads = 3,
  /** 1 it lives, 2 it is a zombie. */
  State = 4,
  /** EXITING (1 << 31) and the wait status once it ends. */
  Exit = 5,
}
