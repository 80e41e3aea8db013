/** files/program.ts: the file side of execve(2): finding and opening a program, and becoming it.
 *  Two requests, for an execve that fails between them changes nothing: OpenProgram looks and opens, ExecFiles is past
 *  the point of no return. "#!" is the asker's to read: it opens the interpreter with another OpenProgram.
 *  A program must be readable too, not only executable: it is mapped through an ordinary descriptor of the host. That
 *  nobody has it open for writing (ETXTBSY) is not looked at.
 *  Linux     compare fs/exec.c:do_open_execat, begin_new_exec; fs/namei.c:may_open */
import { Errno } from "../../core/abi/errno.js";
import { readByteString, writeByteString } from "./bytes.js";
import { baseOf, type Call, placeOfDescriptor, type State } from "./call.js";
import { fail } from "./fail.js";
import type { Handle } from "./handle.js";
import { Access, At, Mode, Open } from "./linux.js";
import type { Running } from "./process.js";
import type { Namespace } from "./resolve.js";
import type { Place } from "./vnode.js";

const HEAD_BYTES = 4096;
const COMM_BYTES = 15;

/** The object of a program, with a reference for the caller; `look` may read the file. */
export function openImage<T>(state: State, place: Place, look: (handle: Handle, object: number) => T): T {
  if (place.node.type === Mode.Link) fail(Errno.ELOOP);
  if (place.node.type !== Mode.Regular) fail(Errno.EACCES);
  place.node.access(Access.Exec, state.credentials);
  const handle = place.node.open(Open.ReadOnly, state.credentials);
  try {
    return look(handle, state.objects.open(handle, place, false));
  } finally {
    handle.release();
  }
}

export function runningAt(space: Namespace, place: Place, argv: readonly string[], name?: string): Running {
  const path = space.pathOf(place) ?? place.node.shownAs?.replace(" (deleted)", "") ?? "";
  return { place, argv, name: (name ?? path.slice(path.lastIndexOf("/") + 1)).slice(0, COMM_BYTES) };
}

/** HostCall.OpenProgram. */
export function openProgram(state: State, call: Call): number {
  const flags = call.uint(3);
  if (flags & ~(At.SymlinkNoFollow | At.EmptyPath)) fail(Errno.EINVAL);
  const path = call.path(1);
  const place =
    path === "" && flags & At.EmptyPath
      ? placeOfDescriptor(state, call.int(0))
      : state.space.lookup(baseOf(state, call.int(0), path), path, !(flags & At.SymlinkNoFollow));
  return openImage(state, place, (handle, object) => {
    const head = call.bytes(2, HEAD_BYTES);
    const size = handle.stat().size;
    const length = Math.max(0, handle.read(head, 0));
    const shown = state.space.pathOf(place) ?? (path || `/dev/fd/${call.int(0)}`);
    const rest = call.bytes(2, 2 * HEAD_BYTES).subarray(HEAD_BYTES);
    const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
    view.setUint32(0, length, true);
    view.setUint32(4, shown.length, true);
    view.setBigUint64(8, size, true);
    writeByteString(call.bytes(2, 3 * HEAD_BYTES), HEAD_BYTES + 16, shown);
    return object;
  });
}

/** HostCall.ExecFiles. */
export function execFiles(state: State, call: Call): number {
  const { place } = state.objects.get(call.uint(0));
  const argv = strings(call.bytes(1, call.uint(2)));
  const name = call.uint(4) > 0 ? readByteString(call.bytes(3, call.uint(4)).slice(), 0) : undefined;
  state.exec(runningAt(state.space, place, argv, name));
  return 0;
}

/** NUL-terminated strings, one after the other. */
function strings(bytes: Uint8Array): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const text = readByteString(bytes, at);
    found.push(text);
    at += text.length + 1;
  }
  return found;
}
