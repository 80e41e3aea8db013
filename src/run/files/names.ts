/** files/names.ts: mkdirat, symlinkat, linkat, unlinkat, renameat2, readlinkat: calls that change or read names.
 *  Order of checks: fs/namei.c:filename_create, do_unlinkat, do_rmdir, do_renameat2. */
import { Errno } from "../../core/abi/errno.js";
import { writeByteString } from "./bytes.js";
import { baseOf, type Call, mayWrite, onlyFlags, placeOfDescriptor, type State, type Verb } from "./call.js";
import { fail } from "./fail.js";
import { At, Mode, Rename } from "./linux.js";
import { isEntry, type Named } from "./resolve.js";
import type { Place, Vnode } from "./vnode.js";

function locate(state: State, call: Call, fdAt: number, pathAt: number): Named {
  const path = call.path(pathAt);
  return state.space.locate(baseOf(state, call.int(fdAt), path), path);
}

/** The place for a new name; a trailing slash is only for directories. */
function vacant(state: State, call: Call, fdAt: number, pathAt: number, directory: boolean): Named {
  const named = locate(state, call, fdAt, pathAt);
  if (!isEntry(named) || state.space.find(named)) fail(Errno.EEXIST);
  if (named.slash && !directory) fail(Errno.ENOENT);
  mayWrite(named.parent);
  return named;
}

export const mkdirAt: Verb = (state, call) => {
  const { parent, name } = vacant(state, call, 0, 1, true);
  // The sticky bit is kept; set-id bits are not mkdir's to give (fs/namei.c:vfs_mkdir).
  parent.node.mkdir(name, call.uint(2) & 0o1777 & ~state.umask, state.credentials);
  return 0;
};

export const symlinkAt: Verb = (state, call) => {
  const target = call.path(0);
  if (target === "") fail(Errno.ENOENT);
  const { parent, name } = vacant(state, call, 1, 2, false);
  parent.node.symlink(name, target, state.credentials);
  return 0;
};

export const linkAt: Verb = (state, call) => {
  const flags = call.uint(4);
  onlyFlags(flags, At.SymlinkFollow | At.EmptyPath);
  const from = existing(state, call, flags);
  const { parent, name } = vacant(state, call, 2, 3, false);
  if (from.mount !== parent.mount) fail(Errno.EXDEV);
  if (from.node.type === Mode.Directory) fail(Errno.EPERM);
  state.space.mayEnter(parent);
  parent.node.access(3, state.credentials);
  parent.node.link(name, from.node);
  return 0;
};

function existing(state: State, call: Call, flags: number): Place {
  const path = call.path(1);
  if (path === "" && flags & At.EmptyPath) return placeOfDescriptor(state, call.int(0));
  return state.space.lookup(baseOf(state, call.int(0), path), path, (flags & At.SymlinkFollow) !== 0);
}

export const unlinkAt: Verb = (state, call) => {
  const flags = call.uint(2);
  onlyFlags(flags, At.RemoveDir);
  const named = locate(state, call, 0, 1);
  return flags & At.RemoveDir ? removeDirectory(state, named) : removeFile(state, named);
};

function removeFile(state: State, named: Named): number {
  if (!isEntry(named)) fail(Errno.EISDIR);
  mayWrite(named.parent);
  const place = state.space.find(named) ?? fail(Errno.ENOENT);
  if (place.node.type === Mode.Directory) fail(Errno.EISDIR);
  if (named.slash) fail(Errno.ENOTDIR);
  if (state.space.isMountPoint(named.parent, named.name)) fail(Errno.EBUSY);
  named.parent.node.unlink(named.name, state.credentials);
  return 0;
}

function removeDirectory(state: State, named: Named): number {
  if (named.name === "/") fail(Errno.EBUSY);
  if (named.name === ".") fail(Errno.EINVAL);
  if (named.name === "..") fail(Errno.ENOTEMPTY);
  mayWrite(named.parent);
  const place = state.space.find(named) ?? fail(Errno.ENOENT);
  if (place.node.type !== Mode.Directory) fail(Errno.ENOTDIR);
  if (state.space.isMountPoint(named.parent, named.name) || state.space.hasMountBelow(place)) fail(Errno.EBUSY);
  named.parent.node.rmdir(named.name, state.credentials);
  return 0;
}

export const renameAt2: Verb = (state, call) => {
  const flags = call.uint(4);
  onlyFlags(flags, Rename.NoReplace | Rename.Exchange | Rename.Whiteout);
  if (flags & Rename.Exchange && flags !== Rename.Exchange) fail(Errno.EINVAL);
  const from = locate(state, call, 0, 1);
  const to = locate(state, call, 2, 3);
  if (from.parent.mount !== to.parent.mount) fail(Errno.EXDEV);
  if (!isEntry(from)) fail(Errno.EBUSY);
  if (!isEntry(to)) fail(flags & Rename.NoReplace ? Errno.EEXIST : Errno.EBUSY);
  mayWrite(from.parent);
  const moved = state.space.find(from) ?? fail(Errno.ENOENT);
  const replaced = state.space.find(to);
  if (replaced && flags & Rename.NoReplace) fail(Errno.EEXIST);
  if (!replaced && flags & Rename.Exchange) fail(Errno.ENOENT);
  if (moved.node.type !== Mode.Directory && (from.slash || to.slash)) fail(Errno.ENOTDIR);
  if (contains(moved.node, to.parent.node)) fail(Errno.EINVAL);
  if (replaced && contains(replaced.node, from.parent.node)) fail(Errno.ENOTEMPTY);
  for (const { parent, name } of [from, to]) if (state.space.isMountPoint(parent, name)) fail(Errno.EBUSY);
  // Exchange and whiteout are the file system's choice; these have neither (rename(2): EINVAL).
  onlyFlags(flags, Rename.NoReplace);
  from.parent.node.rename(from.name, to.parent.node, to.name, state.credentials);
  return 0;
};

/** `inner` is `outer` or below it. */
function contains(outer: Vnode, inner: Vnode): boolean {
  for (let node: Vnode | undefined = inner; node; node = node.above()) if (node.same(outer)) return true;
  return false;
}

export const readLinkAt: Verb = (state, call) => {
  const size = call.int(3);
  if (size <= 0) fail(Errno.EINVAL);
  const path = call.path(1);
  // An empty path reads the link that an O_PATH descriptor is.
  const place = existing(state, call, path === "" ? At.EmptyPath : 0);
  if (place.node.type !== Mode.Link) fail(path === "" ? Errno.ENOENT : Errno.EINVAL);
  return writeByteString(call.bytes(2, size), 0, place.node.readlink());
};
