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
  /** Spaces of processes, the first apart. */
  SpaceRecords = 11,
  /** Frames of live page tables, those among them that wait for a grace period. */
  FramesTable = 10,
}

/** What an anonymous or other mapping is to /proc/PID/maps. */
export enum MapKind {
  Anonymous = 0,
  Heap = 1,
  Stack = 2,
  /** Of an object that the host knows. */
  File = 3,
  /** Shared anonymous memory: /dev/zero (deleted). */
  Zero = 4,
}

/** Words of `spaceUsage()`, in pages. */
export enum Usage {
  Size = 0,
  Locked = 1,
  Anon = 2,
  File = 3,
  Shared = 4,
  Data = 5,
  Stack = 6,
  Code = 7,
  Tables = 8,
  Count = 9,
}
