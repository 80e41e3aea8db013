/** hart/run.ts: the interpreter of guest code.
 *
 *  What        `hartRun` executes RV64GC user-mode instructions until something needs the machine (abi/exit.ts).
 *              The switch below is long on purpose: one dense jump table, its frequent cases in place; the others
 *              (M, A, F, D, CSRs, every TLB miss) are calls, whose answer is a `Next` or an Exit.
 *
 *     ┌─► enter: pc → page of code ──► fetch ──► switch ──┬─ ip = next ─► fetch
 *     │        (fetch TLB, or fill)                       ├─ taken branch inside the page ─► fetch
 *     └── pc, once the page is left or ◄──────────────────┴─ `status`: poll, restart, refetch, Exit
 *         nothing cached may be trusted
 *
 *  Locals      ip is the instruction's physical address, base its page's; delta = pc - ip holds all over the page, so
 *              no pc is kept while inside one. They live from `enter` to the next slow path, never across one
 *              (design protocol 6): a fill, a poll and FENCE.I all go through `enter`.
 *  Polls       every taken jump that does not go forward, every jalr: pending word, then the budget (`left`). pc is
 *              then the next instruction's.
 *  Compressed  half-words become their 32-bit equals by table (rvc.ts); from there on nothing differs but the length
 *  Counting    one local counts down; an instruction that starts again or traps is not counted
 *  Time slice  SLICE at most: JavaScript engines replace the code of a running function by optimised code only at its
 *              next call, so the caller's loop must come round; it calls again on Exit.Fuel
 *  Spec        RISC-V unprivileged ISA; misaligned accesses work, AMOs excepted                                      */
import { Access, Exit } from "../abi/exit";
import { fill } from "../mm/fill";
import { fence } from "../sync/env";
import { PAGE_MASK, PAGE_SIZE } from "../sync/layout";
import { poll } from "../sync/poll";
import { host, loadSlow, readTag, slot, storeSlow, writeTag } from "./access";
import { amo } from "./amo";
import {
  frs2,
  immB,
  immI,
  immJ,
  immS,
  immU,
  Next,
  Row,
  rowOf,
  rs1,
  rs1w,
  rs2,
  rs2w,
  setFrd,
  setRd,
  setRdw,
} from "./decode";
import { codePage, fetchable } from "./fetch";
import { fp, fusedMulAdd } from "./fp";
import { mulDiv, mulDivW } from "./muldiv";
import { getPc, retire, setPc, X } from "./record";
import { expanded } from "./rvc";
import { system } from "./system";
import { illegal } from "./trap";

const SLICE: u32 = 0x40000;
const BOX: u64 = 0xffff_ffff_0000_0000;

/** Leaves guest code: pc and the count become true. */
function leave(cpu: usize, exit: i32, pc: u64, retired: i64): i32 {
  setPc(cpu, pc);
  retire(cpu, retired);
  return exit;
}

/** Runs from pc until an Exit; Exit.Fuel after about `fuel` instructions, found at the next poll. */
export function hartRun(cpu: usize, fuel: u32): i32 {
  let left = <i64>(fuel < SLICE ? fuel : SLICE);
  let start = left;
  let pc = getPc(cpu);
  while (true) {
    if (!fetchable(cpu, pc)) {
      const exit = fill(cpu, pc, Access.Exec);
      if (exit != 0) return leave(cpu, exit, pc, start - left);
      continue;
    }
    const base = codePage(cpu, pc);
    let ip = base + (<usize>pc & (PAGE_SIZE - 1));
    const delta = pc - ip;
    let status: i32 = 0;
    while (true) {
      let insn: u32 = 0;
      let next = ip + 4;
      if (next <= base + PAGE_SIZE) {
        insn = load<u32>(ip);
      } else {
        pc = delta + ip;
        if (ip >= base + PAGE_SIZE) break;
        insn = load<u16>(ip);
        if ((insn & 3) == 3) {
          if (!fetchable(cpu, pc + 2)) {
            status = fill(cpu, pc + 2, Access.Exec);
            break;
          }
          insn |= (<u32>load<u16>(codePage(cpu, pc + 2))) << 16;
        }
      }
      if ((insn & 3) != 3) {
        insn = expanded(insn & 0xffff);
        next = ip + 2;
      }
      left--;
      store<u64>(cpu, 0, X);
      let offset: i32 = 0;
      switch (rowOf(insn)) {
        case Row.Load | 3: {
          const va = rs1(cpu, insn) + immI(insn);
          const at = slot(cpu, va);
          if (readTag(at) == (va & (PAGE_MASK | 7))) {
            setRd(cpu, insn, load<u64>(host(at, va)));
            ip = next;
            continue;
          }
          status = loadSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.Load | 2: {
          const va = rs1(cpu, insn) + immI(insn);
          const at = slot(cpu, va);
          if (readTag(at) == (va & (PAGE_MASK | 3))) {
            setRdw(cpu, insn, load<u32>(host(at, va)));
            ip = next;
            continue;
          }
          status = loadSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.Load | 4: {
          const va = rs1(cpu, insn) + immI(insn);
          const at = slot(cpu, va);
          if (readTag(at) == (va & PAGE_MASK)) {
            setRd(cpu, insn, load<u8>(host(at, va)));
            ip = next;
            continue;
          }
          status = loadSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.Load | 6: {
          const va = rs1(cpu, insn) + immI(insn);
          const at = slot(cpu, va);
          if (readTag(at) == (va & (PAGE_MASK | 3))) {
            setRd(cpu, insn, load<u32>(host(at, va)));
            ip = next;
            continue;
          }
          status = loadSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.Load | 0: {
          const va = rs1(cpu, insn) + immI(insn);
          const at = slot(cpu, va);
          if (readTag(at) == (va & PAGE_MASK)) {
            setRd(cpu, insn, <u64>(<i64>load<i8>(host(at, va))));
            ip = next;
            continue;
          }
          status = loadSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.Load | 1: {
          const va = rs1(cpu, insn) + immI(insn);
          const at = slot(cpu, va);
          if (readTag(at) == (va & (PAGE_MASK | 1))) {
            setRd(cpu, insn, <u64>(<i64>load<i16>(host(at, va))));
            ip = next;
            continue;
          }
          status = loadSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.Load | 5: {
          const va = rs1(cpu, insn) + immI(insn);
          const at = slot(cpu, va);
          if (readTag(at) == (va & (PAGE_MASK | 1))) {
            setRd(cpu, insn, load<u16>(host(at, va)));
            ip = next;
            continue;
          }
          status = loadSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.LoadFp | 3: {
          const va = rs1(cpu, insn) + immI(insn);
          const at = slot(cpu, va);
          if (readTag(at) == (va & (PAGE_MASK | 7))) {
            setFrd(cpu, insn, load<u64>(host(at, va)));
            ip = next;
            continue;
          }
          status = loadSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.LoadFp | 2: {
          const va = rs1(cpu, insn) + immI(insn);
          const at = slot(cpu, va);
          if (readTag(at) == (va & (PAGE_MASK | 3))) {
            setFrd(cpu, insn, <u64>load<u32>(host(at, va)) | BOX);
            ip = next;
            continue;
          }
          status = loadSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.Store | 3: {
          const va = rs1(cpu, insn) + immS(insn);
          const at = slot(cpu, va);
          if (writeTag(at) == (va & (PAGE_MASK | 7))) {
            store<u64>(host(at, va), rs2(cpu, insn));
            ip = next;
            continue;
          }
          status = storeSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.Store | 2: {
          const va = rs1(cpu, insn) + immS(insn);
          const at = slot(cpu, va);
          if (writeTag(at) == (va & (PAGE_MASK | 3))) {
            store<u32>(host(at, va), rs2w(cpu, insn));
            ip = next;
            continue;
          }
          status = storeSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.Store | 0: {
          const va = rs1(cpu, insn) + immS(insn);
          const at = slot(cpu, va);
          if (writeTag(at) == (va & PAGE_MASK)) {
            store<u8>(host(at, va), <u8>rs2w(cpu, insn));
            ip = next;
            continue;
          }
          status = storeSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.Store | 1: {
          const va = rs1(cpu, insn) + immS(insn);
          const at = slot(cpu, va);
          if (writeTag(at) == (va & (PAGE_MASK | 1))) {
            store<u16>(host(at, va), <u16>rs2w(cpu, insn));
            ip = next;
            continue;
          }
          status = storeSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.StoreFp | 3: {
          const va = rs1(cpu, insn) + immS(insn);
          const at = slot(cpu, va);
          if (writeTag(at) == (va & (PAGE_MASK | 7))) {
            store<u64>(host(at, va), frs2(cpu, insn));
            ip = next;
            continue;
          }
          status = storeSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.StoreFp | 2: {
          const va = rs1(cpu, insn) + immS(insn);
          const at = slot(cpu, va);
          if (writeTag(at) == (va & (PAGE_MASK | 3))) {
            store<u32>(host(at, va), <u32>frs2(cpu, insn));
            ip = next;
            continue;
          }
          status = storeSlow(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        }
        case Row.OpImm | 0:
          setRd(cpu, insn, rs1(cpu, insn) + immI(insn));
          ip = next;
          continue;
        case Row.OpImm | 2:
          setRd(cpu, insn, u64(<i64>rs1(cpu, insn) < <i64>immI(insn)));
          ip = next;
          continue;
        case Row.OpImm | 3:
          setRd(cpu, insn, u64(rs1(cpu, insn) < immI(insn)));
          ip = next;
          continue;
        case Row.OpImm | 4:
          setRd(cpu, insn, rs1(cpu, insn) ^ immI(insn));
          ip = next;
          continue;
        case Row.OpImm | 6:
          setRd(cpu, insn, rs1(cpu, insn) | immI(insn));
          ip = next;
          continue;
        case Row.OpImm | 7:
          setRd(cpu, insn, rs1(cpu, insn) & immI(insn));
          ip = next;
          continue;
        case Row.OpImm | 1:
          if (insn >> 26 == 0) {
            setRd(cpu, insn, rs1(cpu, insn) << ((insn >> 20) & 63));
            ip = next;
            continue;
          }
          status = illegal(cpu, insn);
          break;
        case Row.OpImm | 5:
          if (insn >> 26 == 0) {
            setRd(cpu, insn, rs1(cpu, insn) >> ((insn >> 20) & 63));
            ip = next;
            continue;
          }
          if (insn >> 26 == 16) {
            setRd(cpu, insn, <u64>(<i64>rs1(cpu, insn) >> ((insn >> 20) & 63)));
            ip = next;
            continue;
          }
          status = illegal(cpu, insn);
          break;
        case Row.OpImm32 | 0:
          setRdw(cpu, insn, rs1w(cpu, insn) + <u32>immI(insn));
          ip = next;
          continue;
        case Row.OpImm32 | 1:
          if (insn >> 25 == 0) {
            setRdw(cpu, insn, rs1w(cpu, insn) << ((insn >> 20) & 31));
            ip = next;
            continue;
          }
          status = illegal(cpu, insn);
          break;
        case Row.OpImm32 | 5:
          if (insn >> 25 == 0) {
            setRdw(cpu, insn, rs1w(cpu, insn) >> ((insn >> 20) & 31));
            ip = next;
            continue;
          }
          if (insn >> 25 == 32) {
            setRdw(cpu, insn, <u32>(<i32>rs1w(cpu, insn) >> ((insn >> 20) & 31)));
            ip = next;
            continue;
          }
          status = illegal(cpu, insn);
          break;
        case Row.Op | 0:
          if (insn >> 25 == 0) {
            setRd(cpu, insn, rs1(cpu, insn) + rs2(cpu, insn));
            ip = next;
            continue;
          }
          if (insn >> 25 == 32) {
            setRd(cpu, insn, rs1(cpu, insn) - rs2(cpu, insn));
            ip = next;
            continue;
          }
          if (insn >> 25 == 1) {
            setRd(cpu, insn, rs1(cpu, insn) * rs2(cpu, insn));
            ip = next;
            continue;
          }
          status = illegal(cpu, insn);
          break;
        case Row.Op | 1:
          if (insn >> 25 == 0) {
            setRd(cpu, insn, rs1(cpu, insn) << (rs2(cpu, insn) & 63));
            ip = next;
            continue;
          }
          status = insn >> 25 == 1 ? mulDiv(cpu, insn) : illegal(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        case Row.Op | 2:
          if (insn >> 25 == 0) {
            setRd(cpu, insn, u64(<i64>rs1(cpu, insn) < <i64>rs2(cpu, insn)));
            ip = next;
            continue;
          }
          status = insn >> 25 == 1 ? mulDiv(cpu, insn) : illegal(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        case Row.Op | 3:
          if (insn >> 25 == 0) {
            setRd(cpu, insn, u64(rs1(cpu, insn) < rs2(cpu, insn)));
            ip = next;
            continue;
          }
          status = insn >> 25 == 1 ? mulDiv(cpu, insn) : illegal(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        case Row.Op | 4:
          if (insn >> 25 == 0) {
            setRd(cpu, insn, rs1(cpu, insn) ^ rs2(cpu, insn));
            ip = next;
            continue;
          }
          status = insn >> 25 == 1 ? mulDiv(cpu, insn) : illegal(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        case Row.Op | 5:
          if (insn >> 25 == 0) {
            setRd(cpu, insn, rs1(cpu, insn) >> (rs2(cpu, insn) & 63));
            ip = next;
            continue;
          }
          if (insn >> 25 == 32) {
            setRd(cpu, insn, <u64>(<i64>rs1(cpu, insn) >> (rs2(cpu, insn) & 63)));
            ip = next;
            continue;
          }
          status = insn >> 25 == 1 ? mulDiv(cpu, insn) : illegal(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        case Row.Op | 6:
          if (insn >> 25 == 0) {
            setRd(cpu, insn, rs1(cpu, insn) | rs2(cpu, insn));
            ip = next;
            continue;
          }
          status = insn >> 25 == 1 ? mulDiv(cpu, insn) : illegal(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        case Row.Op | 7:
          if (insn >> 25 == 0) {
            setRd(cpu, insn, rs1(cpu, insn) & rs2(cpu, insn));
            ip = next;
            continue;
          }
          status = insn >> 25 == 1 ? mulDiv(cpu, insn) : illegal(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        case Row.Op32 | 0:
          if (insn >> 25 == 0) {
            setRdw(cpu, insn, rs1w(cpu, insn) + rs2w(cpu, insn));
            ip = next;
            continue;
          }
          if (insn >> 25 == 32) {
            setRdw(cpu, insn, rs1w(cpu, insn) - rs2w(cpu, insn));
            ip = next;
            continue;
          }
          if (insn >> 25 == 1) {
            setRdw(cpu, insn, rs1w(cpu, insn) * rs2w(cpu, insn));
            ip = next;
            continue;
          }
          status = illegal(cpu, insn);
          break;
        case Row.Op32 | 1:
          if (insn >> 25 == 0) {
            setRdw(cpu, insn, rs1w(cpu, insn) << (rs2w(cpu, insn) & 31));
            ip = next;
            continue;
          }
          status = illegal(cpu, insn);
          break;
        case Row.Op32 | 5:
          if (insn >> 25 == 0) {
            setRdw(cpu, insn, rs1w(cpu, insn) >> (rs2w(cpu, insn) & 31));
            ip = next;
            continue;
          }
          if (insn >> 25 == 32) {
            setRdw(cpu, insn, <u32>(<i32>rs1w(cpu, insn) >> (rs2w(cpu, insn) & 31)));
            ip = next;
            continue;
          }
          status = insn >> 25 == 1 ? mulDivW(cpu, insn) : illegal(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        case Row.Op32 | 4:
        case Row.Op32 | 6:
        case Row.Op32 | 7:
          status = insn >> 25 == 1 ? mulDivW(cpu, insn) : illegal(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        case Row.Branch | 0:
          if (rs1(cpu, insn) != rs2(cpu, insn)) {
            ip = next;
            continue;
          }
          offset = immB(insn);
          break;
        case Row.Branch | 1:
          if (rs1(cpu, insn) == rs2(cpu, insn)) {
            ip = next;
            continue;
          }
          offset = immB(insn);
          break;
        case Row.Branch | 4:
          if (<i64>rs1(cpu, insn) >= <i64>rs2(cpu, insn)) {
            ip = next;
            continue;
          }
          offset = immB(insn);
          break;
        case Row.Branch | 5:
          if (<i64>rs1(cpu, insn) < <i64>rs2(cpu, insn)) {
            ip = next;
            continue;
          }
          offset = immB(insn);
          break;
        case Row.Branch | 6:
          if (rs1(cpu, insn) >= rs2(cpu, insn)) {
            ip = next;
            continue;
          }
          offset = immB(insn);
          break;
        case Row.Branch | 7:
          if (rs1(cpu, insn) < rs2(cpu, insn)) {
            ip = next;
            continue;
          }
          offset = immB(insn);
          break;
        case Row.Lui | 0:
        case Row.Lui | 1:
        case Row.Lui | 2:
        case Row.Lui | 3:
        case Row.Lui | 4:
        case Row.Lui | 5:
        case Row.Lui | 6:
        case Row.Lui | 7:
          setRd(cpu, insn, immU(insn));
          ip = next;
          continue;
        case Row.Auipc | 0:
        case Row.Auipc | 1:
        case Row.Auipc | 2:
        case Row.Auipc | 3:
        case Row.Auipc | 4:
        case Row.Auipc | 5:
        case Row.Auipc | 6:
        case Row.Auipc | 7:
          setRd(cpu, insn, delta + ip + immU(insn));
          ip = next;
          continue;
        case Row.Jal | 0:
        case Row.Jal | 1:
        case Row.Jal | 2:
        case Row.Jal | 3:
        case Row.Jal | 4:
        case Row.Jal | 5:
        case Row.Jal | 6:
        case Row.Jal | 7:
          setRd(cpu, insn, delta + next);
          offset = immJ(insn);
          break;
        case Row.Jalr: {
          const target = (rs1(cpu, insn) + immI(insn)) & ~1;
          setRd(cpu, insn, delta + next);
          pc = target;
          status = Next.Poll;
          break;
        }
        case Row.Amo | 3:
          status = amo(cpu, insn, 8);
          if (status != 0) break;
          ip = next;
          continue;
        case Row.Amo | 2:
          status = amo(cpu, insn, 4);
          if (status != 0) break;
          ip = next;
          continue;
        case Row.OpFp | 0:
        case Row.OpFp | 1:
        case Row.OpFp | 2:
        case Row.OpFp | 3:
        case Row.OpFp | 4:
        case Row.OpFp | 5:
        case Row.OpFp | 6:
        case Row.OpFp | 7:
          status = fp(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        case Row.MulAdd | 0:
        case Row.MulAdd | 1:
        case Row.MulAdd | 2:
        case Row.MulAdd | 3:
        case Row.MulAdd | 4:
        case Row.MulAdd | 5:
        case Row.MulAdd | 6:
        case Row.MulAdd | 7:
        case Row.MulSub | 0:
        case Row.MulSub | 1:
        case Row.MulSub | 2:
        case Row.MulSub | 3:
        case Row.MulSub | 4:
        case Row.MulSub | 5:
        case Row.MulSub | 6:
        case Row.MulSub | 7:
        case Row.NegMulSub | 0:
        case Row.NegMulSub | 1:
        case Row.NegMulSub | 2:
        case Row.NegMulSub | 3:
        case Row.NegMulSub | 4:
        case Row.NegMulSub | 5:
        case Row.NegMulSub | 6:
        case Row.NegMulSub | 7:
        case Row.NegMulAdd | 0:
        case Row.NegMulAdd | 1:
        case Row.NegMulAdd | 2:
        case Row.NegMulAdd | 3:
        case Row.NegMulAdd | 4:
        case Row.NegMulAdd | 5:
        case Row.NegMulAdd | 6:
        case Row.NegMulAdd | 7:
          status = fusedMulAdd(cpu, insn);
          if (status != 0) break;
          ip = next;
          continue;
        case Row.MiscMem:
          fence();
          ip = next;
          continue;
        case Row.MiscMem | 1:
          pc = delta + next;
          status = Next.Refetch;
          break;
        case Row.System | 0:
        case Row.System | 1:
        case Row.System | 2:
        case Row.System | 3:
        case Row.System | 5:
        case Row.System | 6:
        case Row.System | 7:
          retire(cpu, start - left - 1);
          start = left + 1;
          status = system(cpu, insn, delta + ip);
          if (status != 0) break;
          ip = next;
          continue;
        default:
          status = illegal(cpu, insn);
      }
      if (status != 0) {
        if (status == Next.Restart || status > 0) {
          left++;
          pc = delta + (status == Exit.Ecall ? next : ip);
        }
        break;
      }
      // A taken branch or jal.
      const target = ip + offset;
      if (offset <= 0 && (left <= 0 || atomic.load<u32>(cpu) != 0)) {
        pc = delta + ip + <u64>(<i64>offset);
        status = Next.Poll;
        break;
      }
      if (target - base < PAGE_SIZE) {
        ip = target;
        continue;
      }
      pc = delta + ip + <u64>(<i64>offset);
      break;
    }
    if (status > 0) return leave(cpu, status, pc, start - left);
    if (status == Next.Poll) {
      if (atomic.load<u32>(cpu) != 0 && poll(cpu) != 0) return leave(cpu, Exit.Kick, pc, start - left);
      if (left <= 0) return leave(cpu, Exit.Fuel, pc, start - left);
    }
  }
}
