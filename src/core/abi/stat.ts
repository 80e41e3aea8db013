/** What `stat(i)` tells of the whole machine. */
export enum Stat {
  Frames = 0,
  FramesFree = 1,
  Vmas = 2,
  VmaRecords = 3,
  NodeRecords = 4,
  ObjectRecords = 5,
  SlabFrames = 6,
  GracePeriods = 7,
  /** Steps of the map's sequence count: odd while a writer of mmapLock is inside its change. */
  MapSequence = 8,
  /** Frames of table blocks with no live table in them: layouts halves and fragments keep them back. */
  FramesHeld = 9,
  /** Frames of live page tables, those among them that wait for a grace period. */
  FramesTable = 10,
}
