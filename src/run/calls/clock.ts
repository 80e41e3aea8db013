/**
 * calls/clock.ts: clocks and sleeps. Every guest clock is the machine's monotonic one plus a constant; CPU time is
 * the time a thread was not asleep, and the sum of that over a process.
 */
import { Errno } from "../../core/abi/errno.js";
import type { Thread } from "../thread.js";
import { type Args, int, long } from "./args.js";

export enum Clock {
  Realtime = 0,
  Monotonic = 1,
  ProcessCpu = 2,
  ThreadCpu = 3,
  MonotonicRaw = 4,
  RealtimeCoarse = 5,
  MonotonicCoarse = 6,
  Boottime = 7,
  RealtimeAlarm = 8,
  BoottimeAlarm = 9,
  Tai = 11,
}

const TIMER_ABSTIME = 1;
const SECOND = 1_000_000_000n;

/** A clock's time in ns; undefined for a clock that is not there. */
function read(thread: Thread, clock: number): bigint | undefined {
  const now = () => BigInt(Math.max(0, Math.round(thread.now())));
  switch (clock) {
    case Clock.Realtime:
    case Clock.RealtimeCoarse:
    case Clock.RealtimeAlarm:
    case Clock.Tai:
      return BigInt(thread.process.epochNs) + now();
    case Clock.Monotonic:
    case Clock.MonotonicRaw:
    case Clock.MonotonicCoarse:
    case Clock.Boottime:
    case Clock.BoottimeAlarm:
      return now();
    case Clock.ProcessCpu:
      return BigInt(Math.round(thread.core.processNs(thread.cpu, 0, 0)));
    case Clock.ThreadCpu:
      return BigInt(Math.max(0, Math.round(thread.busyNs())));
  }
  return clock < 0 ? readOther(thread, clock) : undefined;
}

/** A clock made of an id: ~id << 3, and 4 for a thread's (clock_getcpuclockid(3)). */
function readOther(thread: Thread, clock: number): bigint | undefined {
  const { core, cpu } = thread;
  const id = ~(clock >> 3);
  const ns = (clock & 4) === 0 ? core.processNs(cpu, id, 0) : core.threadNs(cpu, id === 0 ? thread.tid : id);
  return ns < 0 ? undefined : BigInt(Math.round(ns));
}

export function clockGettime(thread: Thread, args: Args): number {
  const time = read(thread, int(args, 0));
  if (time === undefined) return -Errno.EINVAL;
  return thread.guest.writePair(long(args, 1), time / SECOND, time % SECOND);
}

export function clockGetres(thread: Thread, args: Args): number {
  if (read(thread, int(args, 0)) === undefined) return -Errno.EINVAL;
  return long(args, 1) === 0n ? 0 : thread.guest.writePair(long(args, 1), 0n, 1n);
}

export function gettimeofday(thread: Thread, args: Args): number {
  const time = read(thread, Clock.Realtime) as bigint;
  if (long(args, 0) !== 0n) {
    const error = thread.guest.writePair(long(args, 0), time / SECOND, (time % SECOND) / 1000n);
    if (error < 0) return error;
  }
  return long(args, 1) === 0n ? 0 : thread.guest.writeU64(long(args, 1), 0n);
}

/** A timespec in ns, -EINVAL or -EFAULT. Times past 2^53 ns lose their last digits, not their sense. */
export function readTimespec(thread: Thread, address: bigint): number {
  const error = thread.guest.copyIn(address, 0, 16);
  if (error < 0) return error;
  const seconds = thread.guest.view.getBigInt64(0, true);
  const nanos = thread.guest.view.getBigInt64(8, true);
  if (seconds < 0n || nanos < 0n || nanos >= SECOND) return -Errno.EINVAL;
  return Number(seconds) * 1e9 + Number(nanos);
}

export function nanosleep(thread: Thread, args: Args): number {
  return sleep(thread, Clock.Monotonic, false, long(args, 0), long(args, 1));
}

export function clockNanosleep(thread: Thread, args: Args): number {
  const clock = int(args, 0);
  if (clock === Clock.ThreadCpu || read(thread, clock) === undefined) return -Errno.EINVAL;
  return sleep(thread, clock, (int(args, 1) & TIMER_ABSTIME) !== 0, long(args, 2), long(args, 3));
}

function sleep(thread: Thread, clock: number, absolute: boolean, request: bigint, remain: bigint): number {
  const ns = readTimespec(thread, request);
  if (ns < 0) return ns;
  const epoch = clock === Clock.Realtime || clock === Clock.Tai ? thread.process.epochNs : 0;
  const deadline = absolute ? ns - epoch : thread.now() + ns;
  if (thread.sleepUntil(deadline)) return 0;
  if (!absolute && remain !== 0n) {
    const left = BigInt(Math.max(0, Math.round(deadline - thread.now())));
    const error = thread.guest.writePair(remain, left / SECOND, left % SECOND);
    if (error < 0) return error;
  }
  return -Errno.EINTR;
}

/** Clock ticks of 10 ms since the machine started; the buffer gets the process's CPU time. */
export function times(thread: Thread, args: Args): number | bigint {
  const ticks = (ns: number) => BigInt(Math.floor(ns / 1e7));
  if (long(args, 0) !== 0n) {
    const { view } = thread.guest;
    const used = (children: number) => ticks(thread.core.processNs(thread.cpu, 0, children));
    [used(0), 0n, used(1), 0n].forEach((time, i) => {
      view.setBigInt64(i * 8, time, true);
    });
    const error = thread.guest.copyOut(long(args, 0), 0, 32);
    if (error < 0) return error;
  }
  return ticks(thread.now());
}
