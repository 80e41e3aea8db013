/** Bits of a CPU's pending word: what other CPUs ask of it. Compiled by AssemblyScript and TypeScript alike. */
export enum Pending {
  /** TLB ranges wait in the CPU's flush queue. */
  Flush = 1,
  /** A grace period wants a quiescent state: the next poll stores it. */
  Quiesce = 2,
  /** Something for the thread itself (a signal); ends a sleep and leaves guest code. */
  Kick = 4,
  /** A futex sleeper was woken. */
  Wake = 8,
  /** The host answered a call. */
  Reply = 16,
  /** A CPU acknowledged one of our flush requests. */
  Ack = 32,
  /** The process ends: leave guest code for good. */
  Stop = 64,
}
