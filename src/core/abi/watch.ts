/**
 * What a checker watches of the memory manager: `watched(what, index)` says where it is, so that no offset is written
 * twice. An export of the hooked core only; the build leaves it out of the core that ships.
 */
export enum Watch {
  /** Lock words. The index is nothing, a CPU's, or an address: of the frame, or of the record. */
  MmapLock = 1,
  ReleasedLock = 2,
  RcuLock = 3,
  OrphanLock = 4,
  FrameLock = 5,
  VmaSlab = 6,
  NodeSlab = 7,
  ObjectSlab = 8,
  BlockLock = 9,
  FreeLock = 10,
  FlushLock = 11,
  VmaLock = 12,
  TableLock = 13,

  /** Words of one frame; the index is its address. */
  FrameType = 32,
  TableLevel = 33,
  /** Words of a slab; the index is its number, VmaSlab and the next two: head of the free records, size of a record. */
  SlabFree = 34,
  SlabBytes = 35,
  /** In a free record, at the index: the next one. */
  SlabLink = 36,
  /** Of a CPU: the last flush it acknowledged, and what others ask of it. */
  FlushDone = 37,
  Pending = 38,
  /** The last grace period that ended. */
  GracePeriod = 39,
  /** Of a frame of data: its references, and whether it is a page of an object. */
  PageRefs = 40,

  /** Not words but values of FrameType: the highest that means free, a page of data, the zero page. */
  FreeType = 64,
  DataType = 65,
  ZeroType = 66,
  /** In PageRefs: a page of an object. */
  CachedBit = 67,
}
