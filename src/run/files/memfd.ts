/** files/memfd.ts: files in memory without a name, and the seals that forbid changes to them.
 *  Promise    what a seal forbids does not happen after F_ADD_SEALS has returned, to the file or through a mapping: a write
 *             seal waits for no mapping but answers EBUSY while one could write.
 *  Where      the checks are where the change is made: write, truncate, punch and chmod in memfile.ts, mmap in map.ts.
 *  Not here   huge pages: as a kernel without hugetlbfs, ENOSYS.
 *  Linux      compare mm/memfd.c:memfd_create, memfd_add_seals, memfd_get_seals */
import { Errno } from "../../core/abi/errno.js";
import { type Call, openOf, type State, type Verb } from "./call.js";
import { Description } from "./description.js";
import { fail } from "./fail.js";
import { Open, Seal } from "./linux.js";
import { MemFile, MemFileHandle } from "./memfile.js";

enum Memfd {
  CloseOnExec = 1,
  AllowSealing = 2,
  HugeTlb = 4,
  NoExecSeal = 8,
  Exec = 16,
  All = 31,
  /** The size of huge pages, as its logarithm. */
  HugeSize = 0xfc000000,
}

/** Bytes of a name: NAME_MAX without "memfd:". */
const NAME_MAX = 249;
const EXECUTABLE = 0o111;

export const memfdCreate: Verb = (state, call) => {
  const flags = call.uint(1);
  const known = Memfd.All | (flags & Memfd.HugeTlb ? Memfd.HugeSize : 0);
  if (flags & ~known) fail(Errno.EINVAL);
  if (flags & Memfd.Exec && flags & Memfd.NoExecSeal) fail(Errno.EINVAL);
  const name = call.path(0);
  if (name.length > NAME_MAX) fail(Errno.EINVAL);
  state.table.lowest();
  if (flags & Memfd.HugeTlb) fail(Errno.ENOSYS);
  const sealed = (flags & Memfd.NoExecSeal) !== 0;
  const mode = sealed ? 0o777 & ~EXECUTABLE : 0o777;
  const file = new MemFile(state.world.nameless, mode, state.credentials, `/memfd:${name} (deleted)`);
  file.seals = sealed ? Seal.Exec : flags & Memfd.AllowSealing ? 0 : Seal.Seal;
  const place = { mount: state.nowhere, node: file };
  const description = new Description(new MemFileHandle(file), place, Open.ReadWrite | Open.LargeFile);
  return state.table.adopt(description, (flags & Memfd.CloseOnExec) !== 0);
};

/** fcntl(F_ADD_SEALS). */
export function addSeals(state: State, call: Call): number {
  const { handle, writable } = openOf(state, call.int(0));
  let seals = call.uint(2);
  if (!writable) fail(Errno.EPERM);
  if (seals & ~Seal.All) fail(Errno.EINVAL);
  const now = handle.seals ?? fail(Errno.EINVAL);
  if (now & Seal.Seal) fail(Errno.EPERM);
  if (seals & Seal.Write && !(now & Seal.Write) && state.objects.writableMappings(handle) > 0) fail(Errno.EBUSY);
  // Whoever may not change what it executes may not change it at all.
  if (seals & Seal.Exec && handle.stat().mode & EXECUTABLE) {
    seals |= Seal.Shrink | Seal.Grow | Seal.Write | Seal.FutureWrite;
  }
  handle.addSeals(seals);
  return 0;
}

/** fcntl(F_GET_SEALS). */
export function getSeals(state: State, call: Call): number {
  return openOf(state, call.int(0)).handle.seals ?? fail(Errno.EINVAL);
}
