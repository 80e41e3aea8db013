/** calls/poll.ts: ppoll and pselect6: the signal mask of the wait; the files themselves are polled by the file service. */
import { Errno } from "../../core/abi/errno.js";
import { fileCall } from "../files/marshal.js";
import type { Thread } from "../thread.js";
import { type Args, long } from "./args.js";

const CALL_PSELECT6 = 72;
const CALL_PPOLL = 73;
const SIGSET_BYTES = 8n;

export function ppoll(thread: Thread, args: Args): number {
  return masked(thread, CALL_PPOLL, args, long(args, 3), long(args, 4));
}

/** The sixth argument points to {mask pointer, mask size}. */
export function pselect6(thread: Thread, args: Args): number {
  let mask = 0n;
  let size = SIGSET_BYTES;
  if (long(args, 5) !== 0n) {
    const error = thread.guest.copyIn(long(args, 5), 0, 16);
    if (error < 0) return error;
    mask = thread.guest.view.getBigUint64(0, true);
    size = thread.guest.view.getBigUint64(8, true);
  }
  return masked(thread, CALL_PSELECT6, args, mask, size);
}

/** Interrupted, the mask stays until the signal is delivered; else the old one is back at once. */
function masked(thread: Thread, nr: number, args: Args, address: bigint, size: bigint): number {
  if (address !== 0n) {
    if (size !== SIGSET_BYTES) return -Errno.EINVAL;
    const mask = thread.guest.readU64(address);
    if (typeof mask === "number") return mask;
    thread.borrowMask(mask);
    if (thread.interrupted()) return -Errno.EINTR;
  }
  const result = fileCall(thread.guest, nr, args) ?? -Errno.ENOSYS;
  if (result !== -Errno.EINTR) thread.returnMask();
  return result;
}
