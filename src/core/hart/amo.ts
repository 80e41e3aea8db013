/** hart/amo.ts: the A extension: LR, SC and the atomic read-modify-writes.
 *
 *  LR          keeps address and value; SC translates anew and succeeds if a compare-and-swap finds that value. A
 *              value that went away and came back is not noticed; QEMU does the same, and the spec's forward-progress
 *              rules are met. Nothing physical is kept, so a page that moved in between is harmless (protocol 6).
 *  Ordering    wasm atomics are sequentially consistent: stronger than any aq and rl
 *  Misaligned  traps (LR as a load, the others as stores), as on machines without misaligned atomicity
 *  Spec        RISC-V unprivileged ISA, chapter "A"                                                                 */
import { Access, Cause } from "../abi/exit";
import { PAGE_MASK } from "../sync/layout";
import { fillAndRestart, host, readTag, slot, writeTag } from "./access";
import { Next, rs1, rs2, rs2Number, rs2w, setRd, setRdw } from "./decode";
import { clearReservation, reserve, reservedValue, reserves } from "./record";
import { illegal, misaligned } from "./trap";

/** funct5, bits 31-27. */
enum Amo {
  Add = 0,
  Swap = 1,
  Lr = 2,
  Sc = 3,
  Xor = 4,
  Or = 8,
  And = 12,
  Min = 16,
  Max = 20,
  MinU = 24,
  MaxU = 28,
}

/** `width` is 4 or 8. */
export function amo(cpu: usize, insn: u32, width: u32): i32 {
  const op = <i32>(insn >> 27);
  if (op == Amo.Lr) return loadReserved(cpu, insn, width);
  if (op == Amo.Sc) return storeConditional(cpu, insn, width);
  if (op > Amo.Xor && (op & 3) != 0) return illegal(cpu, insn);
  const va = rs1(cpu, insn);
  if ((va & (width - 1)) != 0) return misaligned(cpu, Cause.StoreMisaligned, va);
  const at = slot(cpu, va);
  if (writeTag(at) != (va & PAGE_MASK)) return fillAndRestart(cpu, va, Access.Write);
  if (width == 8) setRd(cpu, insn, amo64(host(at, va), op, rs2(cpu, insn)));
  else setRdw(cpu, insn, amo32(host(at, va), op, rs2w(cpu, insn)));
  return Next.Done;
}

function loadReserved(cpu: usize, insn: u32, width: u32): i32 {
  if (rs2Number(insn) != 0) return illegal(cpu, insn);
  const va = rs1(cpu, insn);
  if ((va & (width - 1)) != 0) return misaligned(cpu, Cause.LoadMisaligned, va);
  const at = slot(cpu, va);
  if (readTag(at) != (va & PAGE_MASK)) return fillAndRestart(cpu, va, Access.Read);
  const phys = host(at, va);
  const value = width == 8 ? atomic.load<u64>(phys) : <u64>(<i64>(<i32>atomic.load<u32>(phys)));
  reserve(cpu, va, value, width);
  setRd(cpu, insn, value);
  return Next.Done;
}

function storeConditional(cpu: usize, insn: u32, width: u32): i32 {
  const va = rs1(cpu, insn);
  if ((va & (width - 1)) != 0) return misaligned(cpu, Cause.StoreMisaligned, va);
  let failed: u64 = 1;
  if (reserves(cpu, va, width)) {
    const at = slot(cpu, va);
    if (writeTag(at) != (va & PAGE_MASK)) return fillAndRestart(cpu, va, Access.Write);
    if (swapIfReserved(host(at, va), reservedValue(cpu), rs2(cpu, insn), width)) failed = 0;
  }
  clearReservation(cpu);
  setRd(cpu, insn, failed);
  return Next.Done;
}

function swapIfReserved(phys: usize, expected: u64, value: u64, width: u32): bool {
  if (width == 8) return atomic.cmpxchg<u64>(phys, expected, value) == expected;
  return atomic.cmpxchg<u32>(phys, <u32>expected, <u32>value) == <u32>expected;
}

function amo64(phys: usize, op: i32, value: u64): u64 {
  switch (op) {
    case Amo.Swap:
      return atomic.xchg<u64>(phys, value);
    case Amo.Add:
      return atomic.add<u64>(phys, value);
    case Amo.Xor:
      return atomic.xor<u64>(phys, value);
    case Amo.Or:
      return atomic.or<u64>(phys, value);
    case Amo.And:
      return atomic.and<u64>(phys, value);
    default:
      return choose64(phys, op, value);
  }
}

/** Minimum and maximum: wasm has none, so a compare-and-swap loop; the store is made even when nothing changes. */
function choose64(phys: usize, op: i32, value: u64): u64 {
  let seen = atomic.load<u64>(phys);
  while (true) {
    const less = op < Amo.MinU ? <i64>value < <i64>seen : value < seen;
    const wantLess = (op & 4) == 0;
    const now = atomic.cmpxchg<u64>(phys, seen, less == wantLess ? value : seen);
    if (now == seen) return seen;
    seen = now;
  }
}

function amo32(phys: usize, op: i32, value: u32): u32 {
  switch (op) {
    case Amo.Swap:
      return atomic.xchg<u32>(phys, value);
    case Amo.Add:
      return atomic.add<u32>(phys, value);
    case Amo.Xor:
      return atomic.xor<u32>(phys, value);
    case Amo.Or:
      return atomic.or<u32>(phys, value);
    case Amo.And:
      return atomic.and<u32>(phys, value);
    default:
      return choose32(phys, op, value);
  }
}

function choose32(phys: usize, op: i32, value: u32): u32 {
  let seen = atomic.load<u32>(phys);
  while (true) {
    const less = op < Amo.MinU ? <i32>value < <i32>seen : value < seen;
    const wantLess = (op & 4) == 0;
    const now = atomic.cmpxchg<u32>(phys, seen, less == wantLess ? value : seen);
    if (now == seen) return seen;
    seen = now;
  }
}
