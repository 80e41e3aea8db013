/** Indices of a CPU's counters; `counter(cpu, i)` reads one. Private to the CPU that counts, summed when shown. */
export enum Counter {
  /** Faults that reached the memory manager, however they ended. */
  Faults = 0,
  /** Served with a fresh anonymous frame or the zero page. */
  FaultsAnon = 1,
  /** Served with a page of a file. */
  FaultsFile = 2,
  /** Write to the zero page: a private frame took its place. */
  FaultsCow = 3,
  /** The entry already allowed the access when it was looked at under the table's lock. */
  FaultsSpurious = 4,
  /** Decided or served under mmapLock. */
  FaultsLocked = 5,
  /** Ended as SIGSEGV. */
  FaultsRefused = 6,
  /** Served without mmapLock: the first attempt or a later one. */
  OptimisticAttempt = 8,
  OptimisticRetry = 9,
  OptimisticFallback = 10,
  /** Reasons of a retry, by the check that failed under the table's lock. */
  RetryDetached = 11,
  RetryDead = 12,
  RetryEntry = 13,
  /** Shootdowns sent, and the IPIs they posted to CPUs that were not idle. */
  Shootdowns = 16,
  Ipis = 17,
  FlushesTaken = 18,
  TablesAllocated = 19,
  TablesFreed = 20,
  TablesDeferred = 21,
  GracePeriods = 22,
  FramesAllocated = 23,
  FramesFreed = 24,
  TlbFills = 25,
  MmapLockWaits = 26,
  PtlWaits = 27,
  Mmaps = 28,
  Munmaps = 29,
  Mprotects = 30,
  /** Pages of files mapped ahead of their first access, around one that was. */
  FaultsAround = 31,
  /** Sampled fault latency: sum in ns, samples, longest; the histogram follows. */
  LatencySamples = 32,
  LatencySum = 33,
  LatencyMax = 34,
  /** 64 buckets: four to each power of two of nanoseconds, from 16 ns. */
  LatencyBuckets = 48,
  LatencyEnd = 112,
  /** Policy spf, under the patchset's names: SPF_ATTEMPT, SPF_ABORT, SPF_ABORT_…, SPF_ATTEMPT_…. */
  SpfAttempt = 113,
  SpfAbort = 114,
  SpfAbortOdd = 115,
  SpfAbortUnmapped = 116,
  SpfAbortNoSpeculate = 117,
  SpfAbortVmaCopy = 118,
  SpfAbortAccessError = 119,
  SpfAbortPud = 120,
  SpfAbortPmd = 121,
  SpfAbortAnonVma = 122,
  SpfAbortPteMapLockSeq1 = 123,
  SpfAbortPteMapLockPmd = 124,
  SpfAbortPteMapLockPtl = 125,
  SpfAbortPteMapLockSeq2 = 126,
  SpfAttemptAnon = 127,
  SpfAttemptPte = 128,
  SpfAttemptWp = 129,
  /** Policy vma-lock: Linux's VMA_LOCK_SUCCESS, _ABORT, _RETRY, _MISS. */
  VmaLockSuccess = 130,
  VmaLockAbort = 131,
  VmaLockRetry = 132,
  VmaLockMiss = 133,
  /** Pages read from the host into page caches. */
  PagesRead = 134,
  Forks = 135,
  /** Policy spf, as above. */
  SpfAttemptFile = 136,
  SpfAbortFault = 137,
  Count = 138,
}
