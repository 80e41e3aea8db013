/**
 * calls/timers.ts: timers that send signals: timer_create(2) and its kin, setitimer(2). core/task/timer.ts keeps them;
 * the main thread is told whenever one was armed, since it knows when to wake whom.
 *
 * Clocks    all run with the machine's monotonic one; CPU-time clocks are EOPNOTSUPP here, ITIMER_VIRTUAL and ITIMER_PROF
 *           EINVAL.
 */
import { Errno } from "../../core/abi/errno.js";
import { SIGNALS, Signal } from "../signals.js";
import type { Thread } from "../thread.js";
import { type Args, int, long, uint } from "./args.js";
import { Clock } from "./clock.js";

enum Notify {
  Signal = 0,
  None = 1,
  Thread = 2,
  ThreadId = 4,
}

const TIMER_ABSTIME = 1;
const ITIMER_REAL = 0;
/** core/task/timer.ts: ITIMER. */
const REAL_TIMER = 128;
const SECOND = 1_000_000_000n;
const TIMEVAL_NS = 1000n;
const SIGEVENT_BYTES = 64;
const SETTING_BYTES = 32;
/** In the bounce buffer: where the core puts what was set before. */
const OLD = 64;

/** ns between 1970 and the machine's own clock, for clocks that count from there; undefined: not one for timers. */
function epochOf(thread: Thread, clock: number): number | undefined {
  if (clock === Clock.Realtime || clock === Clock.Tai) return thread.process.epochNs;
  return clock === Clock.Monotonic || clock === Clock.Boottime ? 0 : undefined;
}

export function timerCreate(thread: Thread, args: Args): number {
  const { core, cpu, guest } = thread;
  const clock = int(args, 0);
  if (epochOf(thread, clock) === undefined) {
    if (clock === Clock.RealtimeAlarm || clock === Clock.BoottimeAlarm) return -Errno.EPERM;
    return clock < 0 || clock <= Clock.BoottimeAlarm ? -Errno.EOPNOTSUPP : -Errno.EINVAL;
  }
  let signal: number = Signal.ALRM;
  let value = 0n;
  let notify: number = Notify.Signal;
  let tid = 0;
  const event = long(args, 1);
  if (event !== 0n) {
    const error = guest.copyIn(event, 0, SIGEVENT_BYTES);
    if (error < 0) return error;
    value = guest.view.getBigUint64(0, true);
    signal = guest.view.getInt32(8, true);
    notify = guest.view.getInt32(12, true);
    if (notify === Notify.ThreadId) tid = guest.view.getInt32(16, true);
    if (!(notify in Notify)) return -Errno.EINVAL;
    if (notify !== Notify.None && (signal < 1 || signal > SIGNALS)) return -Errno.EINVAL;
    if (notify === Notify.ThreadId && tid <= 0) return -Errno.EINVAL;
  }
  const id = core.timerCreate(cpu, clock, notify === Notify.None ? 0 : signal, tid, value, event === 0n ? 1 : 0);
  if (id < 0) return id;
  const error = guest.writeU32(long(args, 2), id);
  if (error < 0) core.timerDelete(cpu, id);
  return error;
}

/** {it_interval, it_value} of two longs each, in ns; or -EFAULT, -EINVAL when a part is out of range. */
function readSetting(thread: Thread, address: bigint, unit: bigint): { value: number; interval: number } | number {
  const { guest } = thread;
  const error = guest.copyIn(address, 0, SETTING_BYTES);
  if (error < 0) return error;
  const part = (at: number): number => {
    const seconds = guest.view.getBigInt64(at, true);
    const rest = guest.view.getBigInt64(at + 8, true);
    if (seconds < 0n || rest < 0n || rest >= SECOND / unit) return Number.NaN;
    return Number(seconds) * 1e9 + Number(rest * unit);
  };
  const interval = part(0);
  const value = part(16);
  return Number.isNaN(interval + value) ? -Errno.EINVAL : { value, interval };
}

/** What the core left at OLD, as {it_interval, it_value}. */
function writeSetting(thread: Thread, address: bigint, unit: bigint): number {
  const { view } = thread.guest;
  const left = BigInt(Math.ceil(view.getFloat64(OLD, true)));
  const interval = BigInt(Math.round(view.getFloat64(OLD + 8, true)));
  const put = (at: number, ns: bigint) => {
    view.setBigInt64(at, ns / SECOND, true);
    view.setBigInt64(at + 8, (ns % SECOND) / unit, true);
  };
  put(0, interval);
  put(16, left > 0n && left < unit ? unit : left);
  return thread.guest.copyOut(address, 0, SETTING_BYTES);
}

/** Arms, tells the main thread, and writes what was set before. */
function arm(thread: Thread, id: number, deadline: number, interval: number, old: bigint, unit: bigint): number {
  const { core, cpu, guest, host } = thread;
  const error = core.timerSet(cpu, id, deadline, interval, guest.out + OLD);
  if (error < 0) return error;
  if (deadline > 0) host.post({ kind: "timer" });
  return old === 0n ? 0 : writeSetting(thread, old, unit);
}

export function timerSettime(thread: Thread, args: Args): number {
  if (long(args, 2) === 0n) return -Errno.EINVAL;
  const setting = readSetting(thread, long(args, 2), 1n);
  if (typeof setting === "number") return setting;
  const id = uint(args, 0);
  const absolute = (int(args, 1) & TIMER_ABSTIME) !== 0;
  const clock = thread.core.timerClock(thread.cpu, id);
  if (clock < 0) return clock;
  const epoch = epochOf(thread, clock) as number;
  const start = absolute ? Math.max(1, setting.value - epoch) : thread.now() + setting.value;
  return arm(thread, id, setting.value === 0 ? 0 : start, setting.interval, long(args, 3), 1n);
}

export function timerGettime(thread: Thread, args: Args): number {
  const { core, cpu, guest } = thread;
  const error = core.timerGet(cpu, uint(args, 0), guest.out + OLD);
  return error < 0 ? error : writeSetting(thread, long(args, 1), 1n);
}

export function timerGetoverrun(thread: Thread, args: Args): number {
  return thread.core.timerOverrun(thread.cpu, uint(args, 0));
}

export function timerDelete(thread: Thread, args: Args): number {
  return thread.core.timerDelete(thread.cpu, uint(args, 0));
}

export function setitimer(thread: Thread, args: Args): number {
  if (int(args, 0) !== ITIMER_REAL) return -Errno.EINVAL;
  let setting: { value: number; interval: number } | number = { value: 0, interval: 0 };
  if (long(args, 1) !== 0n) setting = readSetting(thread, long(args, 1), TIMEVAL_NS);
  if (typeof setting === "number") return setting;
  const deadline = setting.value === 0 ? 0 : thread.now() + setting.value;
  return arm(thread, REAL_TIMER, deadline, setting.interval, long(args, 2), TIMEVAL_NS);
}

export function getitimer(thread: Thread, args: Args): number {
  if (int(args, 0) !== ITIMER_REAL) return -Errno.EINVAL;
  const { core, cpu, guest } = thread;
  core.timerGet(cpu, REAL_TIMER, guest.out + OLD);
  return writeSetting(thread, long(args, 1), TIMEVAL_NS);
}
