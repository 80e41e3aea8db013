/**
 * The poll: the listed places where a CPU takes interrupts and becomes quiescent. Guest code polls at every taken
 * backward branch and every jalr; kernel code at the end of each call. No reader section and no lock may be held, and
 * no physical address, table or VMA pointer survives (design protocol 6).
 */
import { Pending } from "../abi/pending";
import { C_PENDING, WAKING } from "./cpu";
import { takeFlush } from "./ipi";
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
