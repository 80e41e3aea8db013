/** calls/limits.ts: resource limits and usage. Those that bind memory are kept by the space, and act; others change nothing. */
import { Errno } from "../../core/abi/errno.js";
import { Limit } from "../../core/abi/limit.js";
import type { Thread } from "../thread.js";
import { type Args, int, long } from "./args.js";
import { holdSpaceOf } from "./processMemory.js";

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

/** Of any process, by its id or a thread's. What binds the memory of one that has ended and was not waited for is not known any more:
 *  ESRCH. */
export function prlimit64(thread: Thread, args: Args): number {
  const wanted = wantedAt(thread, long(args, 2));
  if (typeof wanted === "number") return wanted;
  return limitOfProcess(thread, int(args, 0) || thread.process.pid, int(args, 1), wanted, long(args, 3));
}

function limitOfProcess(thread: Thread, id: number, resource: number, wanted: Wanted | undefined, old: bigint): number {
  const { core, cpu } = thread;
  const space = holdSpaceOf(thread, id);
  if (space === 0 && core.getGroup(cpu, id) < 0) return -Errno.ESRCH;
  const result = limit(thread, space, resource, wanted, old);
  if (space === 0) return result;
  const now = holdSpaceOf(thread, id);
  if (now !== 0) core.putSpace(cpu, now);
  core.putSpace(cpu, space);
  // It has executed a program meanwhile: its limits went to another space, perhaps before this one was there (core: turnToSpace).
  const moved = wanted !== undefined && result >= 0 && now !== 0 && now !== space;
  if (moved) limitOfProcess(thread, id, resource, wanted, 0n);
  return result;
}

export function getrlimit(thread: Thread, args: Args): number {
  return limit(thread, thread.core.spaceOf(thread.cpu), int(args, 0), undefined, long(args, 1));
}

export function setrlimit(thread: Thread, args: Args): number {
  const wanted = wantedAt(thread, long(args, 1));
  if (typeof wanted === "number") return wanted;
  return limit(thread, thread.core.spaceOf(thread.cpu), int(args, 0), wanted, 0n);
}

interface Wanted {
  readonly soft: bigint;
  readonly hard: bigint;
}

/** struct rlimit64; undefined: the pointer is null. */
function wantedAt(thread: Thread, address: bigint): Wanted | undefined | number {
  if (address === 0n) return undefined;
  const { guest } = thread;
  const error = guest.copyIn(address, 0, 16);
  return error < 0 ? error : { soft: guest.view.getBigUint64(0, true), hard: guest.view.getBigUint64(8, true) };
}

/** One that does not bind memory is checked and accepted, and changes nothing: what it would bound the machine bounds. */
function limit(thread: Thread, space: number, resource: number, wanted: Wanted | undefined, old: bigint): number {
  if (resource < 0 || resource >= RLIMITS) return -Errno.EINVAL;
  if (wanted && wanted.soft > wanted.hard) return -Errno.EINVAL;
  const { core, cpu, guest } = thread;
  const mayRaise = thread.process.uid === 0;
  if (MEMORY.has(resource)) {
    if (space === 0) return -Errno.ESRCH;
    const { soft, hard } = wanted ?? { soft: 0n, hard: 0n };
    const error = core.changeLimit(cpu, space, resource, guest.out, wanted ? 1 : 0, soft, hard, mayRaise ? 1 : 0);
    return error < 0 || old === 0n ? error : guest.copyOut(old, 0, 16);
  }
  const [soft, hard] = limitOf(resource);
  if (wanted && wanted.hard > hard && !mayRaise) return -Errno.EPERM;
  return old === 0n ? 0 : guest.writePair(old, BigInt.asIntN(64, soft), BigInt.asIntN(64, hard));
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
