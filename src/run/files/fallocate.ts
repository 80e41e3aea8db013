/** files/fallocate.ts: room for a file, and holes in it.
 *  Room is promised, not taken: mode 0 makes the file long enough, FALLOC_FL_KEEP_SIZE changes nothing.
 *  Holes      FALLOC_FL_PUNCH_HOLE is for files in memory; the host's files have none (EOPNOTSUPP), nor has any file here the
 *             other modes (collapse, zero, insert, unshare).
 *  Linux      compare fs/open.c:vfs_fallocate, mm/shmem.c:shmem_fallocate */
import { Errno } from "../../core/abi/errno.js";
import { type Call, OFFSET_MAX, openOf, type Verb } from "./call.js";
import { fail } from "./fail.js";
import { Seal } from "./linux.js";
import type { Objects } from "./objects.js";

const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;

export const fallocate: Verb = (state, call) => {
  const { handle, writable, isDirectory } = openOf(state, call.int(0));
  const [mode, from, length] = [call.uint(1), call.offset(2), call.offset(3)];
  if (from < 0 || length <= 0) fail(Errno.EINVAL);
  if (mode & ~(KEEP_SIZE | PUNCH_HOLE) || mode === PUNCH_HOLE) fail(Errno.EOPNOTSUPP);
  if (!writable) fail(Errno.EBADF);
  if (isDirectory) fail(Errno.EISDIR);
  if (!handle.regular) fail(handle.seekable ? Errno.ENODEV : Errno.ESPIPE);
  if (from + length > OFFSET_MAX) fail(Errno.EFBIG);
  if (mode & PUNCH_HOLE) {
    state.objects.punch(handle, from, length);
    return 0;
  }
  const grows = Number(handle.stat().size) < from + length;
  if (grows && (handle.seals ?? 0) & Seal.Grow) fail(Errno.EPERM);
  if (mode === 0 && grows) state.objects.truncate(handle, from + length);
  return 0;
};

/** HostCall.PunchObject. */
export function punchObject(objects: Objects, call: Call): number {
  const { handle } = objects.get(call.uint(0));
  const [from, length] = [call.offset(1), call.offset(2)];
  if (from < 0 || length <= 0) fail(Errno.EINVAL);
  objects.punch(handle, from, length);
  return 0;
}
