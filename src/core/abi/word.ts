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
}
