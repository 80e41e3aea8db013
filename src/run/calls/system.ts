/** calls/system.ts: who and where the process is: ids, names, limits, scheduling, random bytes. */
import { Errno } from "../../core/abi/errno.js";
import { Stat } from "../../core/abi/stat.js";
import { toBytes } from "../files/bytes.js";
import type { Thread } from "../thread.js";
import { type Args, int, long, uint } from "./args.js";
import { nameVma } from "./vmaName.js";

const UTS_FIELD = 65;
const UTS = ["Linux", "faultline", "6.6.0-faultline", "#1 SMP", "riscv64", "(none)"];

export function uname(thread: Thread, args: Args): number {
  const bytes = new Uint8Array(UTS.length * UTS_FIELD);
  UTS.forEach((text, i) => {
    bytes.set(toBytes(text), i * UTS_FIELD);
  });
  return thread.guest.write(long(args, 0), bytes);
}

/** struct sysinfo, 112 bytes; memory in bytes. */
export function sysinfo(thread: Thread, args: Args): number {
  const { core, cpu, guest, process } = thread;
  const { view } = guest;
  for (let i = 0; i < 112; i += 8) view.setBigUint64(i, 0n, true);
  view.setBigInt64(0, BigInt(Math.floor(thread.now() / 1e9)), true);
  view.setBigInt64(32, BigInt(process.memoryBytes), true);
  view.setBigInt64(40, BigInt(freeBytes(core)), true);
  view.setUint16(80, core.liveThreads(cpu), true);
  view.setUint32(104, 1, true);
  return guest.copyOut(long(args, 0), 0, 112);
}

function freeBytes(core: Thread["core"]): number {
  return core.stat(Stat.FramesFree) * 4096;
}

export function getpid(thread: Thread): number {
  return thread.process.pid;
}

export function gettid(thread: Thread): number {
  return thread.tid;
}

export function getuid(thread: Thread): number {
  return thread.process.uid;
}

export function getgid(thread: Thread): number {
  return thread.process.gid;
}

export function getgroups(thread: Thread, args: Args): number {
  if (int(args, 0) < 0) return -Errno.EINVAL;
  if (int(args, 0) === 0) return 1;
  return thread.guest.writeU32(long(args, 1), thread.process.gid) || 1;
}

export function schedYield(): number {
  return 0;
}

const KERNEL_MASK_BYTES = 8;

/** The mask is the CPUs the guest is told of, whatever thread is asked about. */
export function schedGetaffinity(thread: Thread, args: Args): number {
  const length = uint(args, 1);
  const { cpus } = thread.process;
  if (length * 8 < cpus || length % 8 !== 0) return -Errno.EINVAL;
  const bytes = new Uint8Array(Math.min(length, Math.ceil(cpus / 64) * KERNEL_MASK_BYTES));
  for (let i = 0; i < cpus; i++) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
  return thread.guest.write(long(args, 2), bytes) || bytes.length;
}

/** Accepted when it leaves at least one CPU; the host schedules as it likes. */
export function schedSetaffinity(thread: Thread, args: Args): number {
  const length = Math.min(uint(args, 1), 32);
  const error = thread.guest.copyIn(long(args, 2), 0, length);
  if (error < 0) return error;
  for (let i = 0; i < Math.min(thread.process.cpus, length * 8); i++) {
    if (((thread.guest.bytes[i >> 3] as number) & (1 << (i & 7))) !== 0) return 0;
  }
  return -Errno.EINVAL;
}

export function getcpu(thread: Thread, args: Args): number {
  for (const i of [0, 1]) {
    if (long(args, i) === 0n) continue;
    const error = thread.guest.writeU32(long(args, i), 0);
    if (error < 0) return error;
  }
  return 0;
}

enum Prctl {
  SetName = 15,
  GetName = 16,
  SetVma = 0x53564d41,
}

const NAME_BYTES = 16;

export function prctl(thread: Thread, args: Args): number {
  switch (int(args, 0)) {
    case Prctl.SetName: {
      const name = thread.guest.readString(long(args, 1), NAME_BYTES - 1);
      if (typeof name === "number") return name;
      thread.name = name;
      return 0;
    }
    case Prctl.GetName: {
      const bytes = new Uint8Array(NAME_BYTES);
      bytes.set(toBytes(thread.name));
      return thread.guest.write(long(args, 1), bytes);
    }
    case Prctl.SetVma:
      return nameVma(thread, args);
  }
  return -Errno.EINVAL;
}

const PIECE = 4096;

export function getrandom(thread: Thread, args: Args): number {
  if ((uint(args, 2) & ~7) !== 0) return -Errno.EINVAL;
  const address = long(args, 0);
  const length = Number(long(args, 1) > 0x1ffffffn ? 0x1ffffffn : long(args, 1));
  for (let done = 0; done < length; ) {
    const bytes = crypto.getRandomValues(new Uint8Array(Math.min(PIECE, length - done)));
    const error = thread.guest.write(address + BigInt(done), bytes);
    if (error < 0) return done || error;
    done += bytes.length;
  }
  return length;
}

/** The hart keeps no decoded instructions, and FENCE.I after a write by another thread finds them in memory. */
export function flushIcache(): number {
  return 0;
}
