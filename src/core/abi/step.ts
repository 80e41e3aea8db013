/**
 * The kinds of event the hooked core announces before it touches shared memory: `step(kind, address, width, site)`.
 * `memory.copy` announces two events, its reads then its writes. Written once: the build tool and the checker read it.
 */
export enum Step {
  Load = 1,
  Store = 2,
  AtomicLoad = 3,
  AtomicStore = 4,
  AtomicRmw = 5,
  AtomicCmpxchg = 6,
  Fence = 7,
  Fill = 8,
  CopyFrom = 9,
  CopyTo = 10,
  Wait = 11,
  Notify = 12,
}
