/** files/locks.ts: advisory locks between processes: flock(2), fcntl(2) record locks and those of open file descriptions.
 *
 *     of a file     flock: one an open file description          ranges:  0....9 10...19      of an owner
 *                   shared or exclusive                                   read   write
 *     owner         a record lock: the descriptor table (a process); an OFD lock: the open file description
 *
 *  Promise    a lock that is granted conflicts with none of another owner. It ends with its owner: a record lock as soon as
 *             its process closes any descriptor of the file (fcntl(2), "Record locking"), the others with the description.
 *  Waiting    waits.ts: tried again whenever a lock of the file goes or shrinks. A record lock whose wait would close a ring of
 *             waiting processes is EDEADLK at once.
 *  flock and record locks do not see each other, as on Linux's local file systems.
 *  Linux     compare fs/locks.c:flock_lock_inode, posix_lock_inode, posix_locks_deadlock, fcntl_setlk, flock_to_posix_lock */
import { Errno } from "../../core/abi/errno.js";
import { type Call, OFFSET_MAX, openOf, type State, type Verb } from "./call.js";
import type { Description } from "./description.js";
import { fail } from "./fail.js";
import { Listeners } from "./handle.js";
import { Fcntl, Seek } from "./linux.js";

enum Kind {
  Read = 0,
  Write = 1,
  None = 2,
}

/** flock(2)'s operations. */
const [SHARED, EXCLUSIVE, NON_BLOCKING, UNLOCK] = [1, 2, 4, 8];

interface Range {
  readonly owner: object;
  /** Who F_GETLK names: the process; -1 for an open file description. */
  readonly pid: number;
  readonly kind: Kind;
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

class FileLocks {
  readonly whole = new Map<Description, Kind>();
  ranges: Range[] = [];
  readonly changed = new Listeners();

  get isEmpty(): boolean {
    return this.whole.size === 0 && this.ranges.length === 0;
  }

  conflict(wanted: Range): Range | undefined {
    return this.ranges.find(
      (range) =>
        range.owner !== wanted.owner &&
        overlap(range, wanted) &&
        (range.kind === Kind.Write || wanted.kind === Kind.Write),
    );
  }

  /** What the owner had there goes, in part maybe; neighbours of one kind become one. */
  put(wanted: Range): void {
    const others = this.ranges.filter((range) => range.owner !== wanted.owner || !overlap(range, wanted));
    const cut = this.ranges
      .filter((range) => range.owner === wanted.owner && overlap(range, wanted))
      .flatMap((range) => [
        ...(range.start < wanted.start ? [{ ...range, end: wanted.start - 1 }] : []),
        ...(range.end > wanted.end ? [{ ...range, start: wanted.end + 1 }] : []),
      ]);
    let added = wanted;
    const kept = [...others, ...cut].filter((range) => {
      const joins = range.owner === added.owner && range.kind === added.kind;
      if (!joins || (range.end + 1 !== added.start && added.end + 1 !== range.start)) return true;
      added = { ...added, start: Math.min(range.start, added.start), end: Math.max(range.end, added.end) };
      return false;
    });
    this.ranges = wanted.kind === Kind.None ? [...others, ...cut] : [...kept, added];
    this.ranges.sort((a, b) => a.start - b.start);
    this.changed.tell();
  }
}

const overlap = (a: Range, b: Range): boolean => a.start <= b.end && b.start <= a.end;

export class Locks {
  private readonly files = new Map<unknown, FileLocks>();
  /** Owner of record locks to the owner it waits for. */
  readonly waitsFor = new Map<object, object>();

  of({ handle }: Description): FileLocks {
    const key = handle.identity ?? handle;
    const known = this.files.get(key) ?? new FileLocks();
    this.files.set(key, known);
    return known;
  }

  /** A descriptor of the table was closed. */
  closed(description: Description, owner: object): void {
    this.drop(description, owner, false);
  }

  /** The open file description itself ends. */
  ended(description: Description): void {
    this.drop(description, description, true);
  }

  private drop(description: Description, owner: object, whole: boolean): void {
    if (this.files.size === 0) return;
    const key = description.handle.identity ?? description.handle;
    const locks = this.files.get(key);
    if (!locks) return;
    const left = locks.ranges.filter((range) => range.owner !== owner);
    const changes = left.length < locks.ranges.length || (whole && locks.whole.delete(description));
    locks.ranges = left;
    if (changes) locks.changed.tell();
    if (locks.isEmpty && locks.changed.isEmpty) this.files.delete(key);
  }

  wouldDeadlock(owner: object, blocker: object): boolean {
    let at: object | undefined = blocker;
    for (let steps = 0; at && steps <= this.waitsFor.size; steps++) {
      if (at === owner) return true;
      at = this.waitsFor.get(at);
    }
    return false;
  }
}

export const flock: Verb = (state, call) => {
  const description = openOf(state, call.int(0));
  const operation = call.uint(1) & ~NON_BLOCKING;
  if (![SHARED, EXCLUSIVE, UNLOCK].includes(operation)) fail(Errno.EINVAL);
  if (operation !== UNLOCK && !description.readable && !description.writable) fail(Errno.EBADF);
  const { whole, changed } = state.world.locks.of(description);
  const kind = operation === EXCLUSIVE ? Kind.Write : Kind.Read;
  if (operation !== UNLOCK && whole.get(description) === kind) return 0;
  // A lock of another kind is given up before the new one is asked for (flock(2)).
  if (whole.delete(description)) changed.tell();
  if (operation === UNLOCK) return 0;
  return wait(state, call, description, (call.uint(1) & NON_BLOCKING) === 0, () => {
    for (const [other, held] of whole) {
      if (other !== description && (held === Kind.Write || kind === Kind.Write)) return -Errno.EAGAIN;
    }
    whole.set(description, kind);
    return 0;
  });
};

/** fcntl's commands about locks, with a struct flock: 0 type i16 | 2 whence i16 | 8 start i64 | 16 length i64 | 24 pid i32. */
export function fcntlLock(state: State, call: Call): number | Promise<number> {
  const description = openOf(state, call.int(0));
  const command = call.int(1);
  const ofDescription = command >= Fcntl.OfdGetLock;
  const view = call.view(2, 32);
  const asks = command === Fcntl.GetLock || command === Fcntl.OfdGetLock;
  const kind = view.getInt16(0, true);
  if (kind < Kind.Read || kind > (asks ? Kind.Write : Kind.None)) fail(Errno.EINVAL);
  const owner = ofDescription ? description : state.table;
  const wanted: Range = { ...range(description, view), owner, pid: ofDescription ? -1 : state.pid, kind };
  if (!asks && (kind === Kind.Read ? !description.readable : kind === Kind.Write && !description.writable))
    fail(Errno.EBADF);
  if (ofDescription && view.getInt32(24, true) !== 0) fail(Errno.EINVAL);
  const { locks } = state.world;
  const file = locks.of(description);
  if (asks) return tell(view, file.conflict(wanted));
  const attempt = (): number => {
    const blocker = kind === Kind.None ? undefined : file.conflict(wanted);
    if (blocker) return blocked(locks, wanted, blocker, waits && !ofDescription);
    locks.waitsFor.delete(owner);
    file.put(wanted);
    return 0;
  };
  const waits = command === Fcntl.SetLockWait || command === Fcntl.OfdSetLockWait;
  return wait(state, call, description, waits, attempt, () => locks.waitsFor.delete(owner));
}

function blocked(locks: Locks, { owner }: Range, blocker: Range, watched: boolean): number {
  if (!watched) return -Errno.EAGAIN;
  if (locks.wouldDeadlock(owner, blocker.owner)) return -Errno.EDEADLK;
  locks.waitsFor.set(owner, blocker.owner);
  return -Errno.EAGAIN;
}

function wait(
  state: State,
  call: Call,
  description: Description,
  waits: boolean,
  attempt: () => number,
  done: () => void = () => {},
): number | Promise<number> {
  const { locks } = state.world;
  description.ended = () => locks.ended(description);
  if (!waits) return attempt();
  let waited = false;
  const result = state.waits.until({
    cpu: call.cpu,
    attempt,
    watch: (listener) => {
      waited = true;
      description.retain();
      return locks.of(description).changed.add(listener);
    },
  });
  if (typeof result === "number") return result;
  return result.finally(() => {
    done();
    if (waited) description.release();
  });
}

/** fs/locks.c:flock_to_posix_lock. A length of 0 reaches to the end of any file; a negative one lies before the start. */
function range({ handle, position }: Description, view: DataView): { start: number; end: number } {
  const whence = view.getInt16(2, true);
  if (whence !== Seek.Set && whence !== Seek.Current && whence !== Seek.End) fail(Errno.EINVAL);
  const base = whence === Seek.Set ? 0 : whence === Seek.Current ? position : Number(handle.stat().size);
  const length = Number(view.getBigInt64(16, true));
  const start = base + Number(view.getBigInt64(8, true));
  if (start > 2 ** 63) fail(Errno.EOVERFLOW);
  if (start < 0 || start + Math.min(length, 0) < 0) fail(Errno.EINVAL);
  if (length === 0) return { start, end: OFFSET_MAX };
  if (length < 0) return { start: start + length, end: start - 1 };
  if (start + length - 1 >= 2 ** 63) fail(Errno.EOVERFLOW);
  return { start, end: Math.min(start + length - 1, OFFSET_MAX) };
}

function tell(view: DataView, found: Range | undefined): number {
  view.setInt16(0, found?.kind ?? Kind.None, true);
  if (!found) return 0;
  view.setInt16(2, Seek.Set, true);
  view.setBigInt64(8, BigInt(found.start), true);
  view.setBigInt64(16, found.end === OFFSET_MAX ? 0n : BigInt(found.end - found.start + 1), true);
  view.setInt32(24, found.pid, true);
  return 0;
}
