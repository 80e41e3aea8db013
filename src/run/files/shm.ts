/** files/shm.ts: System V shared memory: segments by key and id. A segment is a file in memory without a name; attaching it
 *  maps the file's object, shared, so that everything else about it is what mmap does.
 *
 *  Lives     until it is removed (IPC_RMID) and nobody has it attached: a removed one loses its key at once, its id with
 *            the last mapping. How many have it attached the core knows (PageCache.mappings).
 *  Times     shm_atime and shm_dtime are those of shmat and shmdt (and of the end of the last mapping), not of fork.
 *  Not here  huge pages (SHM_HUGETLB: EINVAL, as a kernel without them); SHM_LOCK is noted, pages here are never swapped.
 *
 *  struct shmid64_ds, asm-generic, 112 bytes:
 *      0 key i32 |  4 uid | 8 gid | 12 cuid | 16 cgid | 20 mode u32 | 24 seq u16 | 32 -, - | 48 segsz u64
 *     56 atime i64 | 64 dtime | 72 ctime | 80 cpid i32 | 84 lpid i32 | 88 nattch u64 | 96 -, -
 *  Linux     compare ipc/shm.c:newseg, do_shmat, shmctl_down; ipc/util.c:ipcget */
import { Errno } from "../../core/abi/errno.js";
import type { Call, State, Verb } from "./call.js";
import { fail } from "./fail.js";
import { IpcIds, type IpcPerm, ipcPermits, mustOwnIpc, sequenceOf } from "./ipcids.js";
import { MemFile, MemFileHandle } from "./memfile.js";
import type { World } from "./process.js";

const PAGE = 4096;
const SEGMENTS_MAX = 4096;
const SIZE_MAX = (1n << 64n) - 1n - (1n << 24n);
const CREATE = 0o1000;
const EXCLUSIVE = 0o2000;
const HUGE = 0o4000;
const READ_ONLY = 0o10000;
const EXECUTE = 0o100000;
/** Flags in a segment's mode. */
const REMOVED = 0o1000;
const LOCKED = 0o2000;

enum Control {
  Remove = 0,
  Set = 1,
  Stat = 2,
  Limits = 3,
  Lock = 11,
  Unlock = 12,
  StatAt = 13,
  Usage = 14,
  StatAny = 15,
}

interface Segment extends IpcPerm {
  readonly size: bigint;
  readonly handle: MemFileHandle;
  readonly creator: number;
  user: number;
  attached: bigint;
  detached: bigint;
  changed: bigint;
}

const now = (): bigint => BigInt(Math.floor(Date.now() / 1000));

export class Segments {
  readonly ids = new IpcIds<Segment>(SEGMENTS_MAX);
  /** The segment an object maps. */
  private readonly byObject = new Map<number, Segment>();

  make({ world, credentials, pid }: State, key: number, size: bigint, flags: number): Segment {
    if (size < 1n || size > SIZE_MAX || flags & HUGE) fail(Errno.EINVAL);
    if (size > BigInt(world.nameless.limitBytes)) fail(Errno.ENOMEM);
    const { uid, gid } = credentials;
    return this.ids.add((id) => {
      const label = `/SYSV${(key >>> 0).toString(16).padStart(8, "0")} (deleted)`;
      const handle = new MemFileHandle(new MemFile(world.nameless, 0o777, credentials, label));
      handle.truncate(Math.ceil(Number(size) / PAGE) * PAGE);
      const perm = { id, key, uid, gid, cuid: uid, cgid: gid, mode: flags & 0o777 };
      const times = { attached: 0n, detached: 0n, changed: now() };
      return { ...perm, ...times, size, handle, creator: pid, user: 0 };
    });
  }

  attach(state: State, segment: Segment): number {
    const { handle } = segment;
    const object = state.objects.open(handle, { mount: state.nowhere, node: handle.inode }, true);
    this.byObject.set(object, segment);
    segment.attached = now();
    segment.user = state.pid;
    return object;
  }

  detach(object: number, pid: number): number {
    const segment = this.byObject.get(object) ?? fail(Errno.EINVAL);
    segment.detached = now();
    segment.user = pid;
    return Number(segment.handle.stat().size);
  }

  /** An object's last mapping has gone. */
  unmapped(object: number): void {
    const segment = this.byObject.get(object);
    this.byObject.delete(object);
    if (!segment) return;
    segment.detached = now();
    if (segment.mode & REMOVED) this.end(segment);
  }

  remove(world: World, segment: Segment): void {
    segment.key = 0;
    segment.mode |= REMOVED;
    if (this.attachments(world, segment) === 0) this.end(segment);
  }

  private end(segment: Segment): void {
    this.ids.remove(segment);
    segment.handle.release();
  }

  attachments({ objects }: World, segment: Segment): number {
    const object = objects.of(segment.handle);
    return object ? objects.mappings(object.id) : 0;
  }

  releaseAll(): void {
    for (const segment of this.ids.all) this.end(segment);
  }
}

export const shmGet: Verb = (state, call) => {
  const { segments } = state.world;
  const [key, size, flags] = [call.int(0), call.word(1), call.uint(2)];
  if (key === 0) return segments.make(state, key, size, flags).id;
  const segment = segments.ids.byKey(key);
  if (!segment) return flags & CREATE ? segments.make(state, key, size, flags).id : fail(Errno.ENOENT);
  if (flags & CREATE && flags & EXCLUSIVE) fail(Errno.EEXIST);
  if (segment.size < size) fail(Errno.EINVAL);
  if (!ipcPermits(segment, flags & 0o777, state.credentials)) fail(Errno.EACCES);
  return segment.id;
};

/** HostCall.ShmAt. */
export function shmAt(state: State, call: Call): number {
  const { segments } = state.world;
  const [id, flags] = [call.int(0), call.uint(1)];
  if (id < 0) fail(Errno.EINVAL);
  const segment = segments.ids.get(id);
  const wanted = (flags & READ_ONLY ? 0o444 : 0o666) | (flags & EXECUTE ? 0o111 : 0);
  if (!ipcPermits(segment, wanted, state.credentials)) fail(Errno.EACCES);
  const object = segments.attach(state, segment);
  call.view(2, 8).setBigUint64(0, segment.size, true);
  return object;
}

/** HostCall.ShmDt. */
export function shmDt(state: State, call: Call): number {
  return state.world.segments.detach(call.uint(0), state.pid);
}

export const shmCtl: Verb = (state, call) => {
  const { segments } = state.world;
  const { ids } = segments;
  const [id, command] = [call.int(0), call.int(1)];
  if (id < 0 || command < 0) fail(Errno.EINVAL);
  switch (command) {
    case Control.Limits:
      return tellLimits(call, ids.highest);
    case Control.Usage:
      return tellUsage(call, ids.all, ids.highest);
    case Control.Stat:
      return tellSegment(state, call, ids.get(id), true);
    case Control.StatAt:
      return tellSegment(state, call, ids.at(id), true);
    case Control.StatAny:
      return tellSegment(state, call, ids.at(id), false);
    case Control.Set:
      return change(state, call, ids.get(id));
    case Control.Remove: {
      const segment = ids.get(id);
      mustOwnIpc(segment, state.credentials);
      segments.remove(state.world, segment);
      return 0;
    }
    case Control.Lock:
    case Control.Unlock: {
      const segment = ids.get(id);
      mustOwnIpc(segment, state.credentials);
      segment.mode = command === Control.Lock ? segment.mode | LOCKED : segment.mode & ~LOCKED;
      return 0;
    }
  }
  return fail(Errno.EINVAL);
};

/** struct shminfo64: shmmax, shmmin, shmmni, shmseg, shmall, u64 each, and four more. */
function tellLimits(call: Call, highest: number): number {
  const view = call.view(2, 72);
  const words = [SIZE_MAX, 1n, BigInt(SEGMENTS_MAX), BigInt(SEGMENTS_MAX), SIZE_MAX, 0n, 0n, 0n, 0n];
  words.forEach((word, i) => {
    view.setBigUint64(i * 8, word, true);
  });
  return highest;
}

/** struct shm_info: used_ids i32, -, then pages: shm_tot, shm_rss, shm_swp u64, and two counts of swapping. */
function tellUsage(call: Call, all: readonly Segment[], highest: number): number {
  const view = call.view(2, 48);
  const pages = (bytes: number): bigint => BigInt(Math.ceil(bytes / PAGE));
  const total = all.reduce((sum, { size }) => sum + pages(Number(size)), 0n);
  const held = all.reduce((sum, { handle }) => sum + pages(handle.inode.data.heldBytes), 0n);
  [BigInt(all.length), total, held, 0n, 0n, 0n].forEach((word, i) => {
    view.setBigUint64(i * 8, word, true);
  });
  return highest;
}

/** IPC_STAT answers 0, the others the id of what they found by its index. */
function tellSegment(state: State, call: Call, segment: Segment, checked: boolean): number {
  if (checked && !ipcPermits(segment, 0o444, state.credentials)) fail(Errno.EACCES);
  const view = call.view(2, 112);
  const { key, uid, gid, cuid, cgid, mode, id, size, attached, detached, changed, creator, user } = segment;
  [key, uid, gid, cuid, cgid, mode, sequenceOf(id)].forEach((word, i) => {
    view.setInt32(i * 4, word, true);
  });
  view.setUint32(28, 0, true);
  const count = BigInt(state.world.segments.attachments(state.world, segment));
  const pids = BigInt(creator) | (BigInt(user) << 32n);
  [0n, 0n, size, attached, detached, changed, pids, count, 0n, 0n].forEach((word, i) => {
    view.setBigInt64(32 + i * 8, BigInt.asIntN(64, word), true);
  });
  return call.int(1) === Control.Stat ? 0 : id;
}

/** IPC_SET: owner and permissions. */
function change(state: State, call: Call, segment: Segment): number {
  mustOwnIpc(segment, state.credentials);
  const view = call.view(2, 112);
  segment.uid = view.getUint32(4, true);
  segment.gid = view.getUint32(8, true);
  segment.mode = (segment.mode & ~0o777) | (view.getUint32(20, true) & 0o777);
  segment.changed = now();
  return 0;
}
