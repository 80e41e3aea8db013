/** calls/vmaName.ts: prctl(PR_SET_VMA): the name is read and checked here, and set by the core. */
import { Errno } from "../../core/abi/errno.js";
import { writeByteString } from "../files/bytes.js";
import type { Thread } from "../thread.js";
import { type Args, long } from "./args.js";

const ANON_NAME = 0n;
/** With its NUL. Linux: include/linux/mm.h:ANON_VMA_NAME_MAX_LEN. */
const NAME_BYTES = 80;
const FORBIDDEN = "\\`$[]";

/** Linux: mm/madvise.c:set_anon_vma_name: the text first, then the range. */
export function nameVma(thread: Thread, args: Args): number {
  const { core, cpu, guest } = thread;
  if (long(args, 1) !== ANON_NAME) return -Errno.EINVAL;
  const [address, length, text] = [long(args, 2), long(args, 3), long(args, 4)];
  if (text === 0n) return Number(core.nameVma(cpu, address, length, 0, 0));
  const name = guest.readString(text, NAME_BYTES);
  if (typeof name === "number") return name;
  if (name.length >= NAME_BYTES || ![...name].every(isAllowed)) return -Errno.EINVAL;
  writeByteString(guest.bytes, 0, name);
  return Number(core.nameVma(cpu, address, length, guest.out, name.length));
}

function isAllowed(character: string): boolean {
  return character > "\x1f" && character < "\x7f" && !FORBIDDEN.includes(character);
}
