/** files/status.ts: newfstatat, fstat, statx, statfs, fstatfs, faccessat: what a file is and what may be done with it. */
import { Errno } from "../../core/abi/errno.js";
import { type Call, onlyFlags, placeOf, type State, type Verb } from "./call.js";
import { fail } from "./fail.js";
import { At, Mode } from "./linux.js";
import { type Stat, writeFsStat, writeStat, writeStatx } from "./stat.js";
import { type Place, permits } from "./vnode.js";

const STAT_FLAGS = At.SymlinkNoFollow | At.NoAutomount | At.EmptyPath;

/** AT_EMPTY_PATH with an empty path is the descriptor itself, which may have no name any more. */
function statOf(state: State, call: Call, flags: number): Stat {
  const path = call.path(1);
  if (path === "" && flags & At.EmptyPath) {
    return call.int(0) === At.FdCwd ? state.cwd.node.stat() : state.table.get(call.int(0)).handle.stat();
  }
  return placeOf(state, call.int(0), path, !(flags & At.SymlinkNoFollow)).node.stat();
}

export const fStat: Verb = (state, call) => {
  writeStat(call.view(1, 128), state.table.get(call.int(0)).handle.stat());
  return 0;
};

export const newFStatAt: Verb = (state, call) => {
  const flags = call.uint(3);
  onlyFlags(flags, STAT_FLAGS);
  writeStat(call.view(2, 128), statOf(state, call, flags));
  return 0;
};

export const statx: Verb = (state, call) => {
  const [flags, mask] = [call.uint(2), call.uint(3)];
  onlyFlags(flags, STAT_FLAGS | At.StatSyncMask);
  if (mask & 0x80000000 || (flags & At.StatSyncMask) === At.StatSyncMask) fail(Errno.EINVAL);
  writeStatx(call.view(4, 256), statOf(state, call, flags));
  return 0;
};

function writeFs(call: Call, { node, mount }: Place): number {
  writeFsStat(call.view(1, 120), node.statfs(), mount.readOnly);
  return 0;
}

export const statFs: Verb = (state, call) => writeFs(call, placeOf(state, At.FdCwd, call.path(0), true));
export const fStatFs: Verb = (state, call) => writeFs(call, state.table.get(call.int(0)).place);

export const fAccessAt: Verb = (state, call) => mayAccess(state, call, 0);

export const fAccessAt2: Verb = (state, call) => {
  const flags = call.uint(3);
  onlyFlags(flags, At.SymlinkNoFollow | At.EmptyPath | At.RemoveDir);
  return mayAccess(state, call, flags);
};

function mayAccess(state: State, call: Call, flags: number): number {
  const bits = call.uint(2);
  if (bits & ~7) fail(Errno.EINVAL);
  const path = call.path(1);
  if (path === "" && flags & At.EmptyPath && call.int(0) !== At.FdCwd) {
    const { handle } = state.table.get(call.int(0));
    if (!permits(handle.stat(), bits, state.credentials)) fail(Errno.EACCES);
    return 0;
  }
  const self = path === "" && flags & At.EmptyPath;
  const { node, mount } = self ? state.cwd : placeOf(state, call.int(0), path, !(flags & At.SymlinkNoFollow));
  const type = node.type;
  // Everything may be done with a link itself.
  if (bits === 0 || type === Mode.Link) return 0;
  if (bits & 2 && mount.readOnly && (type === Mode.Regular || type === Mode.Directory)) fail(Errno.EROFS);
  node.access(bits, state.credentials);
  return 0;
}
