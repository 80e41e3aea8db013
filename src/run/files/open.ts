/** files/open.ts: openat, close, pipe2, eventfd2: how descriptors come and go.
 *  Order of checks: fs/open.c:build_open_flags, fs/namei.c:open_last_lookups, do_open, may_open. */
import { Errno } from "../../core/abi/errno.js";
import { baseOf, mayWrite, type State, type Verb } from "./call.js";
import { Description } from "./description.js";
import { EventCounter } from "./eventfd.js";
import { fail } from "./fail.js";
import { Handle } from "./handle.js";
import { Access, Mode, Open } from "./linux.js";
import { makePipe } from "./pipe.js";
import type { Found } from "./resolve.js";
import type { Stat } from "./stat.js";
import { type Credentials, type Mount, type Place, Vnode } from "./vnode.js";

/** Flags that fcntl(F_GETFL) shows. */
const KEPT =
  Open.AccessMask |
  Open.Append |
  Open.NonBlock |
  Open.Sync |
  Open.Direct |
  Open.Directory |
  Open.NoFollow |
  Open.NoAccessTime;
const KEPT_OF_PATH = Open.Path | Open.Directory | Open.NoFollow;
const PATH_FLAGS = KEPT_OF_PATH | Open.CloseOnExec;

export const openAt: Verb = (state, call) => {
  const path = call.path(1);
  let flags = call.uint(2);
  if (flags & Open.Path) flags &= PATH_FLAGS;
  if (flags & Open.TempFileBit) fail(flags & Open.Directory ? Errno.EOPNOTSUPP : Errno.EINVAL);
  if (flags & Open.Create && flags & Open.Directory) fail(Errno.EINVAL);
  state.table.lowest();
  const description = open(state, baseOf(state, call.int(0), path), path, flags, call.uint(3));
  return state.table.adopt(description, (flags & Open.CloseOnExec) !== 0);
};

/** Opens by path; the description belongs to the caller. */
export function open(state: State, base: Place, path: string, flags: number, mode: number): Description {
  const exclusive = Open.Create | Open.Exclusive;
  const follow = !(flags & Open.NoFollow) && (flags & exclusive) !== exclusive;
  const found = state.space.walk(base, path, { follow, create: (flags & Open.Create) !== 0 });
  if (!found.place) return create(state, found, flags, mode);
  if ((flags & exclusive) === exclusive) fail(Errno.EEXIST);
  return openExisting(state, found.place, flags);
}

function create(state: State, { parent, name }: Found, flags: number, mode: number): Description {
  if (!(flags & Open.Create)) fail(Errno.ENOENT);
  mayWrite(parent);
  const bits = mode & Mode.Permissions & ~state.umask;
  const handle = parent.node.create(name, flags, bits, state.credentials);
  const place = { mount: parent.mount, node: parent.node.lookup(name) };
  return new Description(handle, place, (flags & KEPT) | Open.LargeFile);
}

function openExisting(state: State, place: Place, flags: number): Description {
  const type = place.node.type;
  if (flags & Open.Directory && type !== Mode.Directory) fail(Errno.ENOTDIR);
  if (flags & Open.Path) return new Description(new PathHandle(place.node), place, flags & KEPT_OF_PATH);
  if (type === Mode.Link) fail(Errno.ELOOP);
  const access = flags & Open.AccessMask;
  const writes = access !== Open.ReadOnly || (flags & Open.Truncate) !== 0;
  if (type === Mode.Directory && (writes || flags & Open.Create)) fail(Errno.EISDIR);
  if (type === Mode.Socket) fail(Errno.ENXIO);
  if (writes && type === Mode.Regular && !place.node.leadsElsewhere) mayWrite(place);
  const bits = (access !== Open.WriteOnly ? Access.Read : 0) | (writes ? Access.Write : 0);
  place.node.access(bits, state.credentials);
  const handle = place.node.open(flags, state.credentials);
  if (flags & Open.Truncate && type === Mode.Regular) state.objects.resized(handle.identity, 0);
  return new Description(handle, place, (flags & KEPT) | Open.LargeFile);
}

/** O_PATH: a place, not an open file. */
class PathHandle extends Handle {
  constructor(private readonly node: Vnode) {
    super();
  }
  stat(): Stat {
    return this.node.stat();
  }
}

/** The tree's view of what has no name: a pipe reopened through /proc/self/fd. */
export class HandleNode extends Vnode {
  constructor(private readonly handle: Handle) {
    super();
  }
  stat(): Stat {
    return this.handle.stat();
  }
  same(other: Vnode): boolean {
    return other instanceof HandleNode && other.handle === this.handle;
  }
  open(): Handle {
    return this.handle.retain();
  }
  statfs() {
    return { type: 0x50495045n, blockSize: 4096n, blocks: 0n, free: 0n, available: 0n, files: 0n, freeFiles: 0n };
  }
  override access(_bits: number, _credentials: Credentials): void {}
  override chmod(mode: number): void {
    this.handle.chmod(mode);
  }
  override chown(uid: number, gid: number): void {
    this.handle.chown(uid, gid);
  }
}

/** A description of something that has no path. */
export const nameless = (state: { readonly nowhere: Mount }, handle: Handle, flags: number): Description =>
  new Description(handle, { mount: state.nowhere, node: new HandleNode(handle) }, flags);

export const close: Verb = (state, call) => {
  state.table.close(call.int(0));
  return 0;
};

export const closeRange: Verb = (state, call) => {
  const [first, last, flags] = [call.uint(0), call.uint(1), call.uint(2)];
  if (first > last || flags & ~6) fail(Errno.EINVAL);
  for (const fd of state.table.numbers()) {
    if (fd < first || fd > last) continue;
    if (flags & 4) state.table.slot(fd).closeOnExec = true;
    else state.table.close(fd);
  }
  return 0;
};

export const pipe2: Verb = (state, call) => {
  const flags = call.uint(1);
  if (flags & ~(Open.CloseOnExec | Open.NonBlock | Open.Direct)) fail(Errno.EINVAL);
  const closeOnExec = (flags & Open.CloseOnExec) !== 0;
  const { reader, writer } = makePipe(state.credentials);
  const kept = flags & Open.NonBlock;
  const ends = [nameless(state, reader, kept), nameless(state, writer, kept | Open.WriteOnly)] as const;
  const first = state.table.adopt(ends[0], closeOnExec);
  try {
    const second = state.table.adopt(ends[1], closeOnExec);
    const view = call.view(0, 8);
    view.setInt32(0, first, true);
    view.setInt32(4, second, true);
  } catch (error) {
    state.table.close(first);
    throw error;
  }
  return 0;
};

export const eventFd2: Verb = (state, call) => {
  const flags = call.uint(1);
  if (flags & ~(1 | Open.NonBlock | Open.CloseOnExec)) fail(Errno.EINVAL);
  const counter = new EventCounter(BigInt(call.uint(0)), (flags & 1) !== 0, state.credentials);
  const description = nameless(state, counter, Open.ReadWrite | (flags & Open.NonBlock));
  return state.table.adopt(description, (flags & Open.CloseOnExec) !== 0);
};
