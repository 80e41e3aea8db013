/**
 * The operation word of FUTEX_WAKE_OP: op:4 cmp:4 oparg:12 cmparg:12 (futex(2)); op's bit 3 says 1 << oparg.
 * Linux: compare kernel/futex/waitwake.c:futex_atomic_op_inuser.
 */
import { Errno } from "../abi/errno";
import { MISS, peekWord, swapWord } from "./word";

/** Changes the word atomically; 1 when its old value passes the comparison, 0 when not, MISS, or -ENOSYS. */
export function operate(cpu: usize, address: u64, code: u32): i64 {
  const kind = (code >> 28) & 7;
  const comparison = (code >> 24) & 15;
  if (kind > 4 || comparison > 5) return -Errno.ENOSYS;
  let argument = <i32>(code << 8) >> 20;
  if (code >> 31 != 0) argument = 1 << (argument & 31);
  let old = peekWord(cpu, address);
  while (true) {
    if (old == MISS) return MISS;
    const seen = swapWord(cpu, address, <u32>old, changed(kind, <u32>old, <u32>argument));
    if (seen == old) return passes(comparison, <i32>old, <i32>(code << 20) >> 20) ? 1 : 0;
    old = seen;
  }
}

function changed(kind: u32, old: u32, argument: u32): u32 {
  switch (kind) {
    case 0:
      return argument;
    case 1:
      return old + argument;
    case 2:
      return old | argument;
    case 3:
      return old & ~argument;
    default:
      return old ^ argument;
  }
}

function passes(comparison: u32, old: i32, argument: i32): bool {
  switch (comparison) {
    case 0:
      return old == argument;
    case 1:
      return old != argument;
    case 2:
      return old < argument;
    case 3:
      return old <= argument;
    case 4:
      return old > argument;
    default:
      return old >= argument;
  }
}
