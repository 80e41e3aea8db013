/** calls/signals.ts: signal calls: dispositions, masks, sending, waiting, returning from a handler. */
import { Errno } from "../../core/abi/errno.js";
import { readClaim, SigInfo, writeSigInfo } from "../claim.js";
import { deliverTrap, stackNow } from "../deliver.js";
import { FRAME_BYTES, readFrame } from "../frame.js";
import { SIGNALS, Signal } from "../signals.js";
import { type AltStack, NO_RESULT, type Thread } from "../thread.js";
import { type Args, int, long } from "./args.js";
import { readTimespec } from "./clock.js";

const SIGSET_BYTES = 8n;
const ACTION_BYTES = 24;
/** Where the old action goes in the bounce buffer, beside the new one. */
const OLD_ACTION = 64;

export function rtSigaction(thread: Thread, args: Args): number {
  const { core, cpu, guest } = thread;
  const signal = int(args, 0);
  const given = long(args, 1);
  const old = long(args, 2);
  if (long(args, 3) !== SIGSET_BYTES || signal < 1 || signal > SIGNALS) return -Errno.EINVAL;
  if (given !== 0n && (signal === Signal.KILL || signal === Signal.STOP)) return -Errno.EINVAL;
  if (given !== 0n) {
    const error = guest.copyIn(given, 0, ACTION_BYTES);
    if (error < 0) return error;
  }
  const field = (i: number) => guest.view.getBigUint64(i * 8, true);
  core.changeAction(cpu, signal, guest.out + OLD_ACTION, given !== 0n ? 1 : 0, field(0), field(1), field(2));
  return old === 0n ? 0 : guest.copyOut(old, OLD_ACTION, ACTION_BYTES);
}

export function rtSigprocmask(thread: Thread, args: Args): number {
  const { core, cpu, guest } = thread;
  const how = int(args, 0);
  if (long(args, 3) !== SIGSET_BYTES) return -Errno.EINVAL;
  const before = core.getMask(cpu);
  if (long(args, 1) !== 0n) {
    const set = guest.readU64(long(args, 1));
    if (typeof set === "number") return set;
    if (how < 0 || how > 2) return -Errno.EINVAL;
    core.setMask(cpu, how === 0 ? before | set : how === 1 ? before & ~set : set);
  }
  return long(args, 2) === 0n ? 0 : guest.writeU64(long(args, 2), before);
}

export function rtSigpending(thread: Thread, args: Args): number {
  if (long(args, 1) > SIGSET_BYTES) return -Errno.EINVAL;
  const blocked = thread.core.pendingSet(thread.cpu) & thread.core.getMask(thread.cpu);
  return thread.guest.writeU64(long(args, 0), blocked);
}

export function rtSigsuspend(thread: Thread, args: Args): number {
  if (long(args, 1) !== SIGSET_BYTES) return -Errno.EINVAL;
  const mask = thread.guest.readU64(long(args, 0));
  if (typeof mask === "number") return mask;
  thread.borrowMask(mask);
  if (!thread.interrupted()) thread.sleepUntil(Number.POSITIVE_INFINITY);
  return -Errno.EINTR;
}

export function rtSigtimedwait(thread: Thread, args: Args): number {
  const { core, cpu, guest } = thread;
  if (long(args, 3) !== SIGSET_BYTES) return -Errno.EINVAL;
  const set = guest.readU64(long(args, 0));
  if (typeof set === "number") return set;
  let deadline = Number.POSITIVE_INFINITY;
  if (long(args, 2) !== 0n) {
    const ns = readTimespec(thread, long(args, 2));
    if (ns < 0) return ns;
    deadline = thread.now() + ns;
  }
  core.setAwaited(cpu, set);
  try {
    for (;;) {
      // The kick first, then the look: one that comes after the look is still there to end the sleep.
      thread.clearWakeups();
      const signal = core.claimSignal(cpu, set, guest.out, 1);
      if (signal !== 0) {
        const claim = readClaim(signal, guest.view);
        if (long(args, 1) === 0n) return signal;
        writeSigInfo(guest.view, 0, claim);
        return guest.copyOut(long(args, 1), 0, 128) || signal;
      }
      if (thread.signalled()) return -Errno.EINTR;
      const left = deadline - thread.now();
      if (left <= 0) return -Errno.EAGAIN;
      thread.doze(left);
    }
  } finally {
    core.setAwaited(cpu, 0n);
  }
}

export function kill(thread: Thread, args: Args): number {
  return toProcess(thread, int(args, 0), int(args, 1), SigInfo.User, 0n);
}

/** kill(2)'s addressing; -2^31 has no group. */
function toProcess(thread: Thread, to: number, signal: number, code: number, value: bigint): number {
  if (signal < 0 || signal > SIGNALS) return -Errno.EINVAL;
  if (to === -(2 ** 31)) return -Errno.ESRCH;
  const { pid, uid } = thread.process;
  return thread.core.signalTo(thread.cpu, to, signal, code, pid, uid, value);
}

/** `owner`: the process the thread must be of; 0 any. */
function toThread(
  thread: Thread,
  owner: number,
  tid: number,
  signal: number,
  { code, value }: { code: number; value: bigint },
): number {
  if (tid <= 0 || signal < 0 || signal > SIGNALS) return -Errno.EINVAL;
  const { pid, uid } = thread.process;
  return thread.core.signalThread(thread.cpu, owner, tid, signal, code, pid, uid, value);
}

const TKILL = { code: SigInfo.Tkill, value: 0n };

export function tkill(thread: Thread, args: Args): number {
  return toThread(thread, 0, int(args, 0), int(args, 1), TKILL);
}

export function tgkill(thread: Thread, args: Args): number {
  if (int(args, 0) <= 0) return -Errno.EINVAL;
  return toThread(thread, int(args, 0), int(args, 1), int(args, 2), TKILL);
}

/** pidfd_send_signal(2): as kill, or tgkill with a `tid`, or with what is said at `at`, which must be of the same signal. */
export function signalBy(
  thread: Thread,
  { pid, tid }: { pid: number; tid: number },
  signal: number,
  at: bigint,
): number {
  let info: { code: number; value: bigint } | number = tid === 0 ? { code: SigInfo.User, value: 0n } : TKILL;
  if (at !== 0n) {
    info = queuedInfo(thread, at);
    if (typeof info === "number") return info;
    if (thread.guest.view.getInt32(0, true) !== signal) return -Errno.EINVAL;
    if (pretends(info.code) && (tid || Math.abs(pid)) !== thread.tid) return -Errno.EPERM;
  }
  if (tid !== 0) return toThread(thread, pid, tid, signal, info);
  return toProcess(thread, pid, signal, info.code, info.value);
}

/** To another process only as what a process may say it is: no code of kill's or the kernel's (kernel/signal.c). */
export function rtSigqueueinfo(thread: Thread, args: Args): number {
  const info = queuedInfo(thread, long(args, 2));
  if (typeof info === "number") return info;
  const to = int(args, 0);
  if (pretends(info.code) && to !== thread.process.pid) return -Errno.EPERM;
  if (to <= 0) return -Errno.ESRCH;
  return toProcess(thread, to, int(args, 1), info.code, info.value);
}

export function rtTgsigqueueinfo(thread: Thread, args: Args): number {
  const info = queuedInfo(thread, long(args, 3));
  if (typeof info === "number") return info;
  if (int(args, 0) <= 0 || int(args, 1) <= 0) return -Errno.EINVAL;
  if (pretends(info.code) && int(args, 0) !== thread.process.pid) return -Errno.EPERM;
  return toThread(thread, int(args, 0), int(args, 1), int(args, 2), info);
}

function pretends(code: number): boolean {
  return code >= 0 || code === SigInfo.Tkill;
}

function queuedInfo(thread: Thread, address: bigint): { code: number; value: bigint } | number {
  const error = thread.guest.copyIn(address, 0, 128);
  if (error < 0) return error;
  return { code: thread.guest.view.getInt32(8, true), value: thread.guest.view.getBigUint64(24, true) };
}

const SS_ONSTACK = 1;
const SS_DISABLE = 2;
const SS_AUTODISARM = 1 << 31;
const MINSIGSTKSZ = 2048n;

export function sigaltstack(thread: Thread, args: Args): number {
  const { core, cpu, guest } = thread;
  const before = stackNow(thread, BigInt.asUintN(64, core.getX(cpu, 2)));
  if (long(args, 0) !== 0n) {
    const error = guest.copyIn(long(args, 0), 0, 24);
    if (error < 0) return error;
    if ((before.flags & SS_ONSTACK) !== 0) return -Errno.EPERM;
    const stack = {
      sp: guest.view.getBigUint64(0, true),
      flags: guest.view.getInt32(8, true),
      size: guest.view.getBigUint64(16, true),
    };
    const changed = setAltStack(thread, stack);
    if (changed < 0) return changed;
  }
  if (long(args, 1) === 0n) return 0;
  guest.view.setBigUint64(0, before.sp, true);
  guest.view.setBigInt64(8, BigInt(before.flags >>> 0), true);
  guest.view.setBigUint64(16, before.size, true);
  return guest.copyOut(long(args, 1), 0, 24);
}

function setAltStack(thread: Thread, stack: AltStack): number {
  const mode = stack.flags & ~SS_AUTODISARM;
  if (mode !== 0 && mode !== SS_ONSTACK && mode !== SS_DISABLE) return -Errno.EINVAL;
  if (mode === SS_DISABLE) thread.altStack = { sp: 0n, size: 0n, flags: SS_DISABLE };
  else if (stack.size < MINSIGSTKSZ) return -Errno.ENOMEM;
  else thread.altStack = { ...stack, flags: stack.flags & SS_AUTODISARM };
  return 0;
}

/** Puts back what the frame at sp holds. A bad frame is SIGSEGV (arch/riscv/kernel/signal.c). */
export function rtSigreturn(thread: Thread): number {
  const { core, cpu, guest } = thread;
  const sp = BigInt.asUintN(64, core.getX(cpu, 2));
  if (guest.copyIn(sp, 0, FRAME_BYTES) < 0) {
    deliverTrap(thread, Signal.SEGV, SigInfo.Kernel, 0n);
    return NO_RESULT;
  }
  const { mask, stack } = readFrame(guest.view, core, cpu);
  core.setMask(cpu, mask);
  core.clearReservation(cpu);
  setAltStack(thread, { ...stack, flags: stack.flags & ~SS_ONSTACK });
  return NO_RESULT;
}
