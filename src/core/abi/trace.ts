/**
 * Records of the trace: what `--trace` has each CPU write into a ring of its own (core/mm/trace.ts), and TypeScript reads when all
 * is over. Offsets are bytes inside a record.
 *
 *   0        8       12     13     14     15     16        24       32      40     48     56      60       64
 *   ┌ begin ─┬─ ns ──┬ kind ┬ exit ┬ how ─┬ why ─┬ address ┬ length ┬ extra ┬ more ┬ last ┬ flags ┬ object ┐
 *   │ f64    │ u32   │ u8   │ u8   │ u8   │ u8   │ u64     │ u64    │ i64   │ u64  │ u64  │ u32   │ u32    │
 *
 *   begin, ns   by now(): nanoseconds since the machine started
 *   more …      of a call only; else what an older record left there
 */
export enum TraceKind {
  None = 0,
  /** exit: abi/exit.ts. how, why: counters (abi/counter.ts) that went up meanwhile, 0 for none. length: abi/exit.ts, Access. extra: 1 if mmapLock was taken. */
  Fault = 1,
  /**
   * A memory call. how: its number's low eight bits, why: the rest. address, length, more, flags: its first four arguments. last: mmap's
   * offset, else the fifth. object: the file's, of an mmap that was done. extra: its result.
   */
  Call = 2,
  /** extra: IPIs posted. */
  Shootdown = 3,
  /** One ended, seen to by this CPU. extra: its number. */
  GracePeriod = 4,
  /** The CPU runs another thread now. address: its process, length: its own id. extra: 1 when its program was just loaded. */
  Thread = 5,
}

export enum TraceField {
  Begin = 0,
  Ns = 8,
  Kind = 12,
  Exit = 13,
  How = 14,
  Why = 15,
  Address = 16,
  Length = 24,
  Extra = 32,
  More = 40,
  Last = 48,
  Flags = 56,
  Object = 60,
  Bytes = 64,
}
