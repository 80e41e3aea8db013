/**
 * calls/clone.ts: new threads and processes: clone, clone3 (fork and vfork are clone's, as on every riscv64).
 *
 *   claim a warm worker, and a record for a process ─► its memory ─► its files ─► copy the hart ─► let it run
 *
 * Promise    what fails is undone in the opposite order, and the child was never seen. With no worker warm the call sleeps
 *            until one is; at the limit of threads or processes, EAGAIN.
 * Memory     CLONE_VM: the same space, held once more; else a copy on write of it (core: forkSpace).
 * vfork      the parent sleeps until the child executes or ends; signals wait, only its own end wakes it earlier.
 * Not here   namespaces (EPERM, EINVAL for CLONE_NEWUSER: as a kernel without them), cgroups (EINVAL), CLONE_IO
 *            and CLONE_SYSVSEM change nothing; ptrace's flags are taken and mean nothing.
 * Order of checks   kernel/fork.c:kernel_clone, copy_process; clone3: copy_clone_args_from_user, clone3_args_valid.
 */
import { Errno } from "../../core/abi/errno.js";
import { ClaimFlag } from "../../core/abi/word.js";
import { Nr } from "../files/calls.js";
import { HostCall } from "../files/service.js";
import { ThreadStopped } from "../hostport.js";
import { SIGNALS } from "../signals.js";
import type { Thread } from "../thread.js";
import { type Args, long } from "./args.js";

enum Clone {
  VM = 0x100,
  FS = 0x200,
  FILES = 0x400,
  SIGHAND = 0x800,
  PIDFD = 0x1000,
  VFORK = 0x4000,
  PARENT = 0x8000,
  THREAD = 0x10000,
  NEWNS = 0x20000,
  SETTLS = 0x80000,
  PARENT_SETTID = 0x100000,
  CHILD_CLEARTID = 0x200000,
  DETACHED = 0x400000,
  CHILD_SETTID = 0x1000000,
  NEWUSER = 0x10000000,
  NEWPID = 0x20000000,
}

/** CLONE_NEW…: cgroup, uts, ipc, net, and NEWNS, NEWPID. */
const NAMESPACES = Clone.NEWNS | 0x2000000 | 0x4000000 | 0x8000000 | Clone.NEWPID | 0x40000000;
const CSIGNAL = 0xff;
/** clone3 only: CLONE_NEWTIME, and flags beyond 32 bits. */
const NEWTIME = 0x80n;
const CLEAR_SIGHAND = 0x1_0000_0000n;
const INTO_CGROUP = 0x2_0000_0000n;
const LEGACY = 0xffff_ff00n | NEWTIME;

const ARGS_MIN = 64;
const ARGS_MAX = 88;
const PAGE = 4096n;
/** How long a clone sleeps before it looks again for a worker. */
const WORKER_WAIT_NS = 1e6;

interface Request {
  readonly flags: number;
  readonly clearSighand: boolean;
  readonly exitSignal: number;
  readonly sp: bigint;
  readonly parentTid: bigint;
  readonly childTid: bigint;
  /** Where CLONE_PIDFD puts its descriptor. */
  readonly pidfd: bigint;
  readonly tls: bigint;
}

export function clone(thread: Thread, args: Args): number {
  const flags = Number(long(args, 0) & 0xffff_ff00n);
  // The pidfd would go where the thread id goes.
  if ((flags & Clone.PIDFD) !== 0 && (flags & Clone.PARENT_SETTID) !== 0) return -Errno.EINVAL;
  return start(thread, {
    flags,
    clearSighand: false,
    exitSignal: Number(long(args, 0)) & CSIGNAL,
    sp: long(args, 1),
    parentTid: long(args, 2),
    pidfd: long(args, 2),
    tls: long(args, 3),
    childTid: long(args, 4),
  });
}

/** struct clone_args, u64 each: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, its size, cgroup. */
export function clone3(thread: Thread, args: Args): number {
  const size = long(args, 1);
  if (size > PAGE) return -Errno.E2BIG;
  if (size < BigInt(ARGS_MIN)) return -Errno.EINVAL;
  const { guest } = thread;
  guest.bytes.fill(0, 0, ARGS_MAX);
  const error = guest.copyIn(long(args, 0), 0, Number(size));
  if (error < 0) return error;
  if (guest.bytes.subarray(ARGS_MAX, Math.max(ARGS_MAX, Number(size))).some((b) => b !== 0)) return -Errno.E2BIG;
  const field = (i: number) => guest.view.getBigUint64(i * 8, true);
  const [flags, exitSignal, stack, stackSize] = [field(0), field(4), field(5), field(6)];
  if ((field(8) === 0n) !== (field(9) === 0n) || field(9) > 32n) return -Errno.EINVAL;
  if (exitSignal > BigInt(SIGNALS) || (flags & ~(LEGACY | CLEAR_SIGHAND)) !== 0n) return -Errno.EINVAL;
  if ((flags & (BigInt(Clone.DETACHED) | INTO_CGROUP | NEWTIME)) !== 0n) return -Errno.EINVAL;
  const clearSighand = (flags & CLEAR_SIGHAND) !== 0n;
  if (clearSighand && (flags & BigInt(Clone.SIGHAND)) !== 0n) return -Errno.EINVAL;
  if (exitSignal !== 0n && (flags & BigInt(Clone.THREAD | Clone.PARENT)) !== 0n) return -Errno.EINVAL;
  if ((stack === 0n) !== (stackSize === 0n)) return -Errno.EINVAL;
  // Ids of one's own choice need CAP_CHECKPOINT_RESTORE.
  if (field(8) !== 0n) return -Errno.EPERM;
  return start(thread, {
    flags: Number(flags & 0xffff_ff00n),
    clearSighand,
    exitSignal: Number(exitSignal),
    childTid: field(2),
    parentTid: field(3),
    pidfd: field(1),
    sp: stack + stackSize,
    tls: field(7),
  });
}

/** What copy_process refuses before it makes anything; 0 when nothing. */
function refused(flags: number): number {
  const has = (all: number) => (flags & all) === all;
  if (has(Clone.NEWNS | Clone.FS) || has(Clone.NEWUSER | Clone.FS)) return -Errno.EINVAL;
  if (has(Clone.THREAD) && !has(Clone.SIGHAND)) return -Errno.EINVAL;
  if (has(Clone.SIGHAND) && !has(Clone.VM)) return -Errno.EINVAL;
  if (has(Clone.THREAD) && (flags & (Clone.NEWUSER | Clone.NEWPID)) !== 0) return -Errno.EINVAL;
  if (has(Clone.PIDFD | Clone.DETACHED) || has(Clone.NEWUSER)) return -Errno.EINVAL;
  return (flags & NAMESPACES) !== 0 ? -Errno.EPERM : 0;
}

function start(thread: Thread, request: Request): number {
  const { core, cpu, guest } = thread;
  const { flags } = request;
  const error = refused(flags);
  if (error < 0) return error;
  const process = (flags & Clone.THREAD) === 0;
  const index = claim(thread, claimFlags(request), request.exitSignal <= SIGNALS ? request.exitSignal : 0);
  if (index < 0) return index;
  const tid = core.threadTid(index);
  const child = core.cpuArea(index);
  const space = spaceFor(thread, flags);
  if (space < 0) return giveUp(thread, index, space);
  const ask = (nr: number, first: number, second = 0): number =>
    thread.port.request(nr, [BigInt(first), BigInt(second), 0n, 0n, 0n, 0n], 0, false);
  let made = process ? ask(HostCall.ForkFiles, tid, flags) : 0;
  if (made >= 0 && (flags & Clone.PIDFD) !== 0) {
    const pidfd = ask(HostCall.OpenPidfd, tid, process ? 0 : 1);
    made = pidfd < 0 ? pidfd : guest.writeU32(request.pidfd, pidfd);
    if (made < 0 && pidfd >= 0) ask(Nr.Close, pidfd);
    if (made < 0 && process) ask(HostCall.ExitFiles, tid);
  }
  if (made < 0) {
    core.putSpace(cpu, space);
    return giveUp(thread, index, made);
  }
  // As Linux, a bad address here fails nobody.
  if ((flags & Clone.PARENT_SETTID) !== 0) guest.writeU32(request.parentTid, tid);
  core.assignSpace(child, space);
  core.copyHart(child, cpu);
  core.setX(child, 10, 0n);
  if (request.sp !== 0n) core.setX(child, 2, request.sp);
  if ((flags & Clone.SETTLS) !== 0) core.setX(child, 4, request.tls);
  const clearTid = (flags & Clone.CHILD_CLEARTID) !== 0 ? request.childTid : 0n;
  const setTid = (flags & Clone.CHILD_SETTID) !== 0 ? request.childTid : 0n;
  core.startThread(cpu, index, core.getMask(cpu), clearTid, setTid);
  thread.host.post({ kind: "spare" });
  if (process && (flags & Clone.VFORK) !== 0) awaitVfork(thread);
  return tid;
}

function claimFlags({ flags, clearSighand }: Request): number {
  const has = (bit: Clone) => (flags & bit) !== 0;
  if (has(Clone.THREAD)) return 0;
  let wanted = ClaimFlag.Process;
  if (has(Clone.SIGHAND)) wanted |= ClaimFlag.ShareActions;
  if (clearSighand) wanted |= ClaimFlag.ClearActions;
  if (has(Clone.PARENT)) wanted |= ClaimFlag.Sibling;
  if (has(Clone.VFORK)) wanted |= ClaimFlag.Vfork;
  // Who runs in the parent's memory beside it gets no stack of the parent's (copy_process: sas_ss_reset).
  if (!has(Clone.VM) || has(Clone.VFORK)) wanted |= ClaimFlag.AltStack;
  return wanted;
}

/** A reference to the child's space, or -ENOMEM. */
function spaceFor(thread: Thread, flags: number): number {
  const { core, cpu } = thread;
  if ((flags & Clone.VM) === 0) return Number(core.forkSpace(cpu));
  const space = core.spaceOf(cpu);
  core.holdSpace(space);
  return space;
}

function giveUp(thread: Thread, index: number, error: number): number {
  thread.core.unclaimWorker(thread.cpu, index);
  return error;
}

/** A worker for the new thread: its CPU index or -EAGAIN. */
function claim(thread: Thread, flags: number, exitSignal: number): number {
  let asked = false;
  for (;;) {
    const index = thread.core.claimWorker(thread.cpu, flags, exitSignal);
    if (index !== -Errno.EBUSY) return index;
    if (!asked) thread.host.post({ kind: "spare" });
    asked = true;
    thread.doze(WORKER_WAIT_NS);
    // A signal's kick must not keep us awake; the return to guest code looks for signals anyway.
    thread.clearWakeups();
  }
}

/** Sleeps until the child has executed or ended. What kicks meanwhile waits for the return to guest code. */
function awaitVfork(thread: Thread): void {
  const { core, cpu } = thread;
  if (thread.sleepDeaf(() => core.vforkWaits(cpu) !== 0)) return;
  core.forgetVfork(cpu);
  throw new ThreadStopped();
}
