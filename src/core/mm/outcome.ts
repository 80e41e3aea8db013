/** How an attempt to serve a fault ended. The first values are abi/exit.ts's, so that they pass through unchanged. */
export enum Outcome {
  Done = 0,
  /** Refused; the trap fields are set (Exit.Trap). */
  Trap = 2,
  /** A file page must be read first (Exit.Io). */
  Io = 4,
  /** No frame (Exit.Oom). */
  Oom = 5,
  /** Past the end of the file that is mapped: decided under mmapLock, then SIGBUS. */
  Bus = 6,
  /** A guard page: refused as if nothing were mapped; the trap fields are not set. */
  Guard = 8,
  /** What the attempt saw changed before it committed. */
  RetryDetached = 16,
  RetryDead = 17,
  RetryEntry = 18,
  /** Not for the lock-free path: decide under mmapLock. */
  Fallback = 32,
}
