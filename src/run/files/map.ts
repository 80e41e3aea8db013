/** files/map.ts: the file side of mmap(2): may this descriptor be mapped so, and which object is it?
 *  Order of checks as mm/mmap.c:do_mmap, then mm/shmem.c:shmem_mmap and its seals, each file system's mmap last.
 *  A file is append-only (chattr) or in use as swap nowhere here, so EACCES and ETXTBSY of those do not occur. */
import { Errno } from "../../core/abi/errno.js";
import { MapFlag, Prot } from "../../core/abi/mman.js";
import { type Call, openOf, type State } from "./call.js";
import { fail } from "./fail.js";
import { Seal } from "./linux.js";
import { MapBits } from "./service.js";

/** Flags that MAP_SHARED_VALIDATE knows of a file that has none of its own: LEGACY_MAP_MASK, and MAP_FIXED_NOREPLACE,
 *  which is dealt with before. */
const VALIDATED =
  MapFlag.TypeMask |
  MapFlag.Fixed |
  MapFlag.FixedNoReplace |
  MapFlag.GrowsDown |
  MapFlag.DenyWrite |
  MapFlag.Executable |
  MapFlag.Locked |
  MapFlag.NoReserve |
  MapFlag.Populate |
  MapFlag.NonBlock |
  MapFlag.Stack |
  MapFlag.HugeTlb;

export function mapObject(state: State, call: Call): number {
  const { handle, readable, writable, place } = openOf(state, call.int(0));
  const [prot, flags] = [call.uint(1), call.uint(2)];
  const type = flags & MapFlag.TypeMask;
  const shared = type === MapFlag.Shared || type === MapFlag.SharedValidate;
  if (!shared && type !== MapFlag.Private) fail(Errno.EINVAL);
  if (type === MapFlag.SharedValidate && flags & ~VALIDATED) fail(Errno.EOPNOTSUPP);
  if (shared && prot & Prot.Write && !writable) fail(Errno.EACCES);
  if (!readable) fail(Errno.EACCES);
  if (!handle.mappable) fail(Errno.ENODEV);
  if (flags & MapFlag.GrowsDown) fail(Errno.EINVAL);
  const sealed = shared && ((handle.seals ?? 0) & (Seal.Write | Seal.FutureWrite)) !== 0;
  if (sealed && prot & Prot.Write) fail(Errno.EPERM);
  const mayWrite = !shared || (writable && !sealed);
  const mapped = shared ? handle.sharedMapping() : handle.retain();
  try {
    const id = state.objects.open(mapped, place, shared && mayWrite);
    call.view(3, 4).setUint32(0, mayWrite ? MapBits.MayWrite : 0, true);
    return id;
  } finally {
    mapped.release();
  }
}
