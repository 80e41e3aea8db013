/**
 * run/deliver.ts: gives a thread its signals on the way back to guest code.
 *
 * Promise    each claimed signal either ends the process or runs its handler once, with the mask, stack and restart
 *            behaviour of its action. Several at once nest, the last claimed runs first, as in Linux.
 * Restart    a call to be started again has left a0 as it was: pc goes back over the ecall, or a0 becomes EINTR. Decided
 *            by the first handler; with none at all it always starts again.
 * A frame that can not be written kills with SIGSEGV (kernel/signal.c:force_sigsegv).
 */
import { Errno } from "../core/abi/errno.js";
import type { Claim } from "./claim.js";
import { readAction } from "./claim.js";
import { FRAME_BYTES, UCONTEXT, writeFrame } from "./frame.js";
import { ActionFlag, SIG_DFL, SIG_IGN, Signal, signalBit } from "./signals.js";
import { type AltStack, Thread } from "./thread.js";

const SS_ONSTACK = 1;
const SS_DISABLE = 2;
const SS_AUTODISARM = 1 << 31;

export function deliver(thread: Thread, restart: boolean): void {
  const { core, cpu } = thread;
  let undecided = restart;
  for (;;) {
    const claim = thread.takeClaim();
    if (claim) {
      if (claim.action.handler === SIG_DFL) thread.die(claim.signal);
      if (claim.action.handler === SIG_IGN) continue;
      if (undecided) decideRestart(thread, (claim.action.flags & ActionFlag.Restart) !== 0);
      undecided = false;
      enterHandler(thread, claim);
    } else if (thread.savedMask !== undefined) {
      core.setMask(cpu, thread.savedMask);
      thread.savedMask = undefined;
    } else break;
  }
  if (undecided) decideRestart(thread, true);
}

function decideRestart(thread: Thread, again: boolean): void {
  const { core, cpu } = thread;
  if (again) core.setPc(cpu, core.getPc(cpu) - 4n);
  else core.setX(cpu, 10, BigInt(-Errno.EINTR));
}

/** A signal that the thread's own instruction raised, at once. */
export function deliverTrap(thread: Thread, signal: number, code: number, address: bigint): void {
  const { core, cpu, guest } = thread;
  core.forceSignal(cpu, signal, guest.out);
  const action = readAction(guest.view, 0);
  if (action.handler === SIG_DFL) thread.die(signal);
  enterHandler(thread, { signal, code, pid: 0, uid: 0, value: 0n, address, action });
}

/** Builds the frame and points the hart at the handler. */
function enterHandler(thread: Thread, claim: Claim): void {
  const { core, cpu, guest } = thread;
  const { action, signal } = claim;
  const mask = core.getMask(cpu);
  const sp = BigInt.asUintN(64, core.getX(cpu, 2));
  const frame = framePlace(thread, sp, (action.flags & ActionFlag.OnStack) !== 0);
  writeFrame(guest.view, core, cpu, claim, thread.savedMask ?? mask, stackNow(thread, sp));
  thread.savedMask = undefined;
  if (frame === undefined || guest.copyOut(frame, 0, FRAME_BYTES) < 0) thread.die(Signal.SEGV);
  if ((thread.altStack.flags & SS_AUTODISARM) !== 0) thread.altStack = { sp: 0n, size: 0n, flags: SS_DISABLE };
  core.setPc(cpu, action.handler & ~1n);
  core.setX(cpu, 1, Thread.trampoline);
  core.setX(cpu, 2, frame);
  core.setX(cpu, 10, BigInt(signal));
  core.setX(cpu, 11, frame);
  core.setX(cpu, 12, frame + BigInt(UCONTEXT));
  core.clearReservation(cpu);
  const own = (action.flags & ActionFlag.NoDefer) !== 0 ? 0n : signalBit(signal);
  core.setMask(cpu, mask | action.mask | own);
}

/** True when `sp` is on the thread's alternate stack. */
export function onAltStack(stack: AltStack, sp: bigint): boolean {
  if ((stack.flags & SS_AUTODISARM) !== 0) return false;
  return stack.size > 0n && sp > stack.sp && sp - stack.sp <= stack.size;
}

/** uc_stack and sigaltstack's old value: where the stack is, and whether it is in use. */
export function stackNow(thread: Thread, sp: bigint): AltStack {
  const { altStack } = thread;
  const inUse = altStack.size === 0n ? SS_DISABLE : onAltStack(altStack, sp) ? SS_ONSTACK : 0;
  return { ...altStack, flags: inUse | (altStack.flags & SS_AUTODISARM) };
}

/** Where the frame goes; undefined when it would run off the alternate stack (get_sigframe). */
function framePlace(thread: Thread, sp: bigint, wantsAlt: boolean): bigint | undefined {
  const { altStack } = thread;
  const size = BigInt(FRAME_BYTES);
  const on = onAltStack(altStack, sp);
  if (on && !onAltStack(altStack, sp - size)) return undefined;
  const top = wantsAlt && !on && altStack.size > 0n ? altStack.sp + altStack.size : sp;
  return BigInt.asUintN(64, top - size) & ~15n;
}
