/**
 * The poll: the listed places where a CPU takes interrupts and becomes quiescent. Guest code polls at every taken
 * backward branch and every jalr; kernel code at the end of each call. No reader section and no lock may be held, and
 * no physical address, table or VMA pointer survives (design protocol 6).
 */
import { Pending } from "../abi/pending";
import { C_PENDING, CPU_BYTES, GATHER_PART, MM_PART, TLB_PART, WAKING } from "./cpu";
import { answerIpis, takeFlush } from "./ipi";
import { CPU_AREAS, RCU } from "./layout";
import { abandonDeferred, isMemoryShort, quiesce } from "./rcu";

/** Answers flush IPIs, stores quiescence if asked; returns the bits that concern the thread. */
export function poll(cpu: usize): u32 {
  const pending = atomic.load<u32>(cpu, C_PENDING);
  if (pending == 0) return 0;
  if ((pending & Pending.Flush) != 0) takeFlush(cpu);
  if ((pending & Pending.Quiesce) != 0) {
    quiesce(cpu);
    if (isMemoryShort()) abandonDeferred(cpu);
  }
  if ((pending & Pending.Ack) != 0) atomic.and<u32>(cpu, ~(<u32>Pending.Ack), C_PENDING);
  return pending & WAKING;
}

/**
 * What an interrupt does in an engine that delivers it in the middle of kernel code: it flushes and, outside reader sections
 * (`quiescent`), stores quiescence if asked. It has no business with lists that the interrupted code may be changing.
 */
export function takeInterrupt(cpu: usize, quiescent: bool): void {
  answerIpis(cpu);
  if (quiescent && (atomic.load<u32>(cpu, C_PENDING) & Pending.Quiesce) != 0) quiesce(cpu);
}

/** Whether takeInterrupt(cpu) may touch an address: its CPU's first part and TLBs, every CPU's first line, RCU's line. */
export function interruptTouches(cpu: usize, address: usize): bool {
  if (address >= cpu && address < cpu + CPU_BYTES) {
    const at = address - cpu;
    return at < MM_PART || (at >= TLB_PART && at < GATHER_PART);
  }
  if (address >= RCU && address < RCU + 64) return true;
  return address >= CPU_AREAS && (address - CPU_AREAS) % CPU_BYTES < 64;
}
