/** files/attributes.ts: truncate, fallocate, chmod, chown, utimensat, umask, fsync and their kin. */
import { Errno } from "../../core/abi/errno.js";
import {
  type Call,
  mayWrite,
  OFFSET_MAX,
  onlyFlags,
  openOf,
  placeOf,
  placeOfDescriptor,
  type State,
  type Verb,
} from "./call.js";
import { fail } from "./fail.js";
import { Access, At, Mode } from "./linux.js";
import { nowNs, type Stat } from "./stat.js";
import type { Place } from "./vnode.js";

export const truncate: Verb = (state, call) => {
  const size = call.offset(1);
  if (size < 0) fail(Errno.EINVAL);
  const place = placeOf(state, At.FdCwd, call.path(0), true);
  const type = place.node.type;
  if (type === Mode.Directory) fail(Errno.EISDIR);
  if (type !== Mode.Regular) fail(Errno.EINVAL);
  mayWrite(place);
  place.node.access(Access.Write, state.credentials);
  if (size > OFFSET_MAX) fail(Errno.EFBIG);
  const { identity } = place.node;
  place.node.truncate(size, state.credentials);
  state.objects.resized(identity, size);
  return 0;
};

export const fTruncate: Verb = (state, call) => {
  const size = call.offset(1);
  if (size < 0) fail(Errno.EINVAL);
  const { handle, writable } = openOf(state, call.int(0));
  if (!writable || !handle.regular) fail(Errno.EINVAL);
  if (size > OFFSET_MAX) fail(Errno.EFBIG);
  state.objects.truncate(handle, size);
  return 0;
};

export const fChMod: Verb = (state, call) => {
  const { place, handle } = openOf(state, call.int(0));
  mayWrite(place);
  mustOwn(state, handle.stat());
  handle.chmod(call.uint(1) & Mode.Permissions);
  return 0;
};

function chmodAt(state: State, place: Place, mode: number): number {
  mayWrite(place);
  if (place.node.type === Mode.Link) fail(Errno.EOPNOTSUPP);
  mustOwn(state, place.node.stat());
  place.node.chmod(mode & Mode.Permissions);
  return 0;
}

export const fChModAt: Verb = (state, call) =>
  chmodAt(state, placeOf(state, call.int(0), call.path(1), true), call.uint(2));

export const fChModAt2: Verb = (state, call) => {
  onlyFlags(call.uint(3), At.SymlinkNoFollow | At.EmptyPath);
  return chmodAt(state, flaggedPlace(state, call, call.path(1), call.uint(3)), call.uint(2));
};

function flaggedPlace(state: State, call: Call, path: string, flags: number): Place {
  if (path === "" && flags & At.EmptyPath) return placeOfDescriptor(state, call.int(0));
  return placeOf(state, call.int(0), path, !(flags & At.SymlinkNoFollow));
}

/** fs/attr.c:setattr_prepare: only the owner and root. */
function mustOwn(state: State, stat: Stat): void {
  const { uid } = state.credentials;
  if (uid !== 0 && uid !== stat.uid) fail(Errno.EPERM);
}

/** Root gives files away; their owner may only say what is so already. */
function mayGive(state: State, stat: Stat, uid: number, gid: number): void {
  const me = state.credentials;
  if (me.uid === 0) return;
  const same = (uid === -1 || uid === stat.uid) && (gid === -1 || gid === me.gid || gid === stat.gid);
  if (!same || ((uid !== -1 || gid !== -1) && me.uid !== stat.uid)) fail(Errno.EPERM);
}

export const fChOwnAt: Verb = (state, call) => {
  const flags = call.uint(4);
  onlyFlags(flags, At.SymlinkNoFollow | At.EmptyPath);
  const place = flaggedPlace(state, call, call.path(1), flags);
  mayWrite(place);
  mayGive(state, place.node.stat(), call.int(2), call.int(3));
  place.node.chown(call.int(2), call.int(3));
  return 0;
};

export const fChOwn: Verb = (state, call) => {
  const { place, handle } = openOf(state, call.int(0));
  mayWrite(place);
  mayGive(state, handle.stat(), call.int(1), call.int(2));
  handle.chown(call.int(1), call.int(2));
  return 0;
};

const UTIME_NOW = 0x3fffffffn;
const UTIME_OMIT = 0x3ffffffen;
const SECOND = 1_000_000_000n;

export const utimensAt: Verb = (state, call) => {
  const flags = call.uint(3);
  const given = call.isNull(2) ? undefined : [readTime(call, 0), readTime(call, 16)];
  if (given?.every((time) => time === "keep")) return 0;
  onlyFlags(flags, At.SymlinkNoFollow | At.EmptyPath);
  const byFd = call.isNull(1);
  if (byFd && (call.int(0) === At.FdCwd || flags)) fail(call.int(0) === At.FdCwd ? Errno.EFAULT : Errno.EINVAL);
  const open = byFd ? openOf(state, call.int(0)) : undefined;
  const place = open?.place ?? flaggedPlace(state, call, call.path(1), flags);
  mayWrite(place);
  const target = open?.handle ?? place.node;
  const stat = target.stat();
  // "Now" for both is for whoever may write; anything else only for the owner.
  if (given) mustOwn(state, stat);
  else if (state.credentials.uid !== stat.uid) place.node.access(Access.Write, state.credentials);
  const pick = (time: bigint | "keep" | undefined, old: bigint): bigint => (time === "keep" ? old : (time ?? nowNs()));
  target.utimes(pick(given?.[0], stat.accessNs), pick(given?.[1], stat.modifyNs));
  return 0;
};

function readTime(call: Call, at: number): bigint | "keep" {
  const view = call.view(2, 32);
  const nanoseconds = view.getBigInt64(at + 8, true);
  if (nanoseconds === UTIME_NOW) return nowNs();
  if (nanoseconds === UTIME_OMIT) return "keep";
  if (nanoseconds < 0n || nanoseconds >= SECOND) fail(Errno.EINVAL);
  return view.getBigInt64(at, true) * SECOND + nanoseconds;
}

export const umask: Verb = (state, call) => {
  const old = state.umask;
  state.umask = call.uint(0) & 0o777;
  return old;
};

/** posix_fadvise(2), readahead(2): advice, heard and not followed. */
export const advise: Verb = (state, call) => {
  if (!openOf(state, call.int(0)).handle.seekable) fail(Errno.ESPIPE);
  return 0;
};

export const readAhead: Verb = (state, call) => {
  const { readable, handle } = openOf(state, call.int(0));
  if (!readable) fail(Errno.EBADF);
  if (!handle.regular) fail(Errno.EINVAL);
  return 0;
};
