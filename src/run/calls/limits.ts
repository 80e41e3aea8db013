/** calls/limits.ts: resource limits and usage. Those that bind memory are kept by the space, and act; others change nothing. */
import { Errno } from "../../core/abi/errno.js";
import { Limit } from "../../core/abi/limit.js";
import type { Thread } from "../thread.js";
import { type Args, int, long } from "./args.js";

const INFINITY = 0xffffffffffffffffn;
const RLIMITS = 16;
const MEMORY: ReadonlySet<number> = new Set([Limit.Data, Limit.Stack, Limit.Memlock, Limit.As]);

/** [soft, hard] by resource number; the rest is unlimited. */
const DEFAULTS: ReadonlyMap<number, readonly [bigint, bigint]> = new Map([
  [4, [0n, INFINITY]], // RLIMIT_CORE
  [6, [256n, 256n]], // RLIMIT_NPROC: threads that may live
  [7, [1024n, 1048576n]], // RLIMIT_NOFILE
  [13, [0n, 0n]], // RLIMIT_NICE
  [14, [0n, 0n]], // RLIMIT_RTPRIO
]);

function limitOf(resource: number): readonly [bigint, bigint] {
  return DEFAULTS.get(resource) ?? [INFINITY, INFINITY];
}

export function prlimit64(thread: Thread, args: Args): number {
  const pid = int(args, 0);
  if (pid !== 0 && pid !== thread.process.pid && pid !== thread.tid && thread.core.getGroup(thread.cpu, pid) < 0) {
    return -Errno.ESRCH;
  }
  return limit(thread, int(args, 1), long(args, 2), long(args, 3));
}

export function getrlimit(thread: Thread, args: Args): number {
  return limit(thread, int(args, 0), 0n, long(args, 1));
}

export function setrlimit(thread: Thread, args: Args): number {
  return limit(thread, int(args, 0), long(args, 1), 0n);
}

/** One that does not bind memory is checked and accepted, and changes nothing: what it would bound the machine bounds. */
function limit(thread: Thread, resource: number, given: bigint, old: bigint): number {
  if (resource < 0 || resource >= RLIMITS) return -Errno.EINVAL;
  const { core, cpu } = thread;
  const kept = MEMORY.has(resource);
  const of = (what: number) => BigInt.asUintN(64, core.getLimit(cpu, what));
  const [soft, hard] = kept ? [of(resource), of(resource + Limit.Hard)] : limitOf(resource);
  if (given !== 0n) {
    const error = thread.guest.copyIn(given, 0, 16);
    if (error < 0) return error;
    const wanted = thread.guest.view.getBigUint64(0, true);
    const ceiling = thread.guest.view.getBigUint64(8, true);
    if (wanted > ceiling) return -Errno.EINVAL;
    if (ceiling > hard && thread.process.uid !== 0) return -Errno.EPERM;
    if (kept) {
      core.setLimit(cpu, resource, wanted);
      core.setLimit(cpu, resource + Limit.Hard, ceiling);
    }
  }
  return old === 0n ? 0 : thread.guest.writePair(old, BigInt.asIntN(64, soft), BigInt.asIntN(64, hard));
}

enum Usage {
  Children = -1,
  Self = 0,
  Thread = 1,
}

export function getrusage(thread: Thread, args: Args): number {
  const who = int(args, 0);
  if (!(who in Usage)) return -Errno.EINVAL;
  const children = who === Usage.Children ? 1 : 0;
  const ns = who === Usage.Thread ? thread.busyNs() : thread.core.processNs(thread.cpu, 0, children);
  return writeUsage(thread, long(args, 1), ns);
}

/** struct rusage, 144 bytes: user time only, which is the time not spent asleep. */
export function writeUsage(thread: Thread, address: bigint, ns: number): number {
  const { view } = thread.guest;
  for (let i = 0; i < 144; i += 8) view.setBigUint64(i, 0n, true);
  const micros = BigInt(Math.floor(ns / 1000));
  view.setBigInt64(0, micros / 1000000n, true);
  view.setBigInt64(8, micros % 1000000n, true);
  return thread.guest.copyOut(address, 0, 144);
}
