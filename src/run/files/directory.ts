/** files/directory.ts: getdents64, getcwd, chdir, fchdir.
 *  struct linux_dirent64: 0 ino u64 | 8 off i64 | 16 reclen u16 | 18 type u8 | 19 name, NUL; 8-byte aligned.
 *  A directory is listed as it was when reading began or was last rewound; off is the index of the next entry. */
import { Errno } from "../../core/abi/errno.js";
import { writeByteString } from "./bytes.js";
import { type Call, openOf, placeOf, type State, type Verb } from "./call.js";
import { fail } from "./fail.js";
import { Access, At, Mode } from "./linux.js";
import type { Place } from "./vnode.js";

export const getDents64: Verb = (state, call) => {
  const description = openOf(state, call.int(0));
  if (!description.isDirectory) fail(Errno.ENOTDIR);
  if (state.space.pathOf(description.place) === undefined) fail(Errno.ENOENT);
  const size = call.uint(2);
  const bytes = call.bytes(1, size);
  const view = call.view(1, size);
  description.entries ??= state.space.list(description.place);
  let used = 0;
  for (;;) {
    const entry = description.entries[description.position];
    if (!entry) return used;
    const length = (19 + entry.name.length + 1 + 7) & ~7;
    if (used + length > size) return used || fail(Errno.EINVAL);
    description.position++;
    bytes.fill(0, used, used + length);
    view.setBigUint64(used, entry.ino, true);
    view.setBigInt64(used + 8, BigInt(description.position), true);
    view.setUint16(used + 16, length, true);
    view.setUint8(used + 18, entry.type >> 12);
    writeByteString(bytes, used + 19, entry.name);
    used += length;
  }
};

export const getCwd: Verb = (state, call) => {
  const path = state.space.pathOf(state.cwd) ?? fail(Errno.ENOENT);
  const size = call.uint(1);
  if (size < path.length + 1) fail(Errno.ERANGE);
  const bytes = call.bytes(0, size);
  bytes[writeByteString(bytes, 0, path)] = 0;
  return path.length + 1;
};

export const chDir: Verb = (state, call) => enter(state, placeOf(state, At.FdCwd, call.path(0), true));
export const fChDir: Verb = (state, call: Call) => enter(state, state.table.get(call.int(0)).place);

function enter(state: State, place: Place): number {
  if (place.node.type !== Mode.Directory) fail(Errno.ENOTDIR);
  place.node.access(Access.Exec, state.credentials);
  state.cwd = place;
  return 0;
}
