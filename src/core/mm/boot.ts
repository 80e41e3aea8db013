/**
 * Lays the machine out in a zeroed memory, once, before any CPU runs; and brings CPUs into and out of the space.
 */
import { Bug } from "../abi/bug";
import { Errno } from "../abi/errno";
import { Layout, Policy, Tables } from "../abi/mman";
import { C_ID, C_IDLE, C_ONLINE, CPU_BYTES, cpuArea, cpuId } from "../sync/cpu";
import { bug } from "../sync/env";
import { idleEnter, idleLeave } from "../sync/idle";
import {
  CPU_AREAS,
  H_CPUS,
  H_CPUS_SEEN,
  H_DESCRIPTORS,
  H_LAYOUT,
  H_MAGIC,
  H_MEMORY_BYTES,
  H_POLICY,
  H_TABLES,
  H_ZERO_FRAME,
  MAGIC,
} from "../sync/layout";
import { abandonDeferred } from "../sync/rcu";
import { tlbFlushAll } from "../sync/tlb";
import { runReady } from "./deferred";
import { allocFrame, bootFrames, DESCRIPTOR_BYTES, drainFrames, TYPE_ZERO } from "./frame";
import { LEVELS } from "./pte";
import { bootSlab, SLAB_NODE, SLAB_OBJECT, SLAB_VMA } from "./slab";
import { S_CPUMASK, S_PGD, S_SCRATCH, S_STACK_LIMIT, S_USERS } from "./space";
import { allocTable } from "./table";
import { NODE_BYTES } from "./tree";
import { VMA_BYTES } from "./vma";

/** Linux's default RLIMIT_STACK. */
const STACK_LIMIT: u64 = 8 << 20;
const OBJECT_BYTES: u32 = 64;

/**
 * memoryBytes: size of the memory, a multiple of 64 KiB. cpus: how many areas to lay out, 1–256.
 * Returns the number of frames, or -ENOMEM (too small for its own tables), -EINVAL (an unknown policy, protection or layout).
 */
export function boot(memoryBytes: u32, cpus: u32, policy: u32, tables: u32, layout: u32): i32 {
  if (load<u32>(H_MAGIC) == MAGIC) bug(0, Bug.boot_core_already_booted);
  if (policy > <u32>Policy.VmaRefcount || tables > <u32>Tables.Irq) return -Errno.EINVAL;
  if (layout > <u32>Layout.Fragments) return -Errno.EINVAL;
  if (cpus == 0 || cpus > 256) return -Errno.EINVAL;
  const descriptors = CPU_AREAS + cpus * CPU_BYTES;
  const allFrames = memoryBytes >> 12;
  const firstFrame = (<u64>descriptors + <u64>allFrames * DESCRIPTOR_BYTES + 4095) >> 12;
  if (firstFrame + 32 > allFrames) return -Errno.ENOMEM;
  store<u32>(H_MEMORY_BYTES, memoryBytes);
  store<u32>(H_CPUS, cpus);
  store<u32>(H_POLICY, policy);
  store<u32>(H_TABLES, tables);
  store<u32>(H_LAYOUT, layout);
  store<u32>(H_DESCRIPTORS, <u32>descriptors);
  bootFrames(<u32>firstFrame, allFrames - <u32>firstFrame);
  bootSlab(SLAB_VMA, VMA_BYTES);
  bootSlab(SLAB_NODE, NODE_BYTES);
  bootSlab(SLAB_OBJECT, OBJECT_BYTES);
  for (let i: u32 = 0; i < cpus; i++) {
    store<u32>(cpuArea(i), i, C_ID);
    atomic.store<u32>(cpuArea(i), 1, C_IDLE);
  }
  const cpu = cpuArea(0);
  store<u32>(H_ZERO_FRAME, <u32>allocFrame(cpu, TYPE_ZERO));
  memory.fill(<usize>load<u32>(H_ZERO_FRAME), 0, 4096);
  store<u32>(S_PGD, <u32>allocTable(cpu, LEVELS - 1, 0, 0));
  store<u32>(S_SCRATCH, <u32>allocFrame(cpu, TYPE_ZERO));
  drainFrames(cpu, cpu);
  store<u64>(S_STACK_LIMIT, STACK_LIMIT);
  atomic.store<u32>(H_MAGIC, MAGIC);
  return <i32>(allFrames - firstFrame);
}

/** This worker becomes the CPU: joins the space, with an empty TLB. */
export function cpuOnline(cpu: usize): void {
  const id = cpuId(cpu);
  let seen = atomic.load<u32>(H_CPUS_SEEN);
  while (seen < id + 1) {
    const found = atomic.cmpxchg<u32>(H_CPUS_SEEN, seen, id + 1);
    if (found == seen) break;
    seen = found;
  }
  store<u32>(cpu, 1, C_ONLINE);
  joinSpace(cpu);
  idleLeave(cpu);
  tlbFlushAll(cpu);
}

/** The CPU turns to this space. Before it reads any entry: a shootdown that misses us changed its entries before we look. */
export function joinSpace(cpu: usize): void {
  const id = cpuId(cpu);
  atomic.or<u64>(S_CPUMASK + ((<usize>(id >> 6)) << 3), u64(1) << u64(id & 63));
  atomic.add<u32>(S_USERS, 1);
}

/** The CPU turns away: it is asked for no flush any more, and still for quiescence. Its TLB leads nowhere. */
export function leaveSpace(cpu: usize): void {
  const id = cpuId(cpu);
  const bit = u64(1) << u64(id & 63);
  const old = atomic.and<u64>(S_CPUMASK + ((<usize>(id >> 6)) << 3), ~bit);
  if ((old & bit) != 0) atomic.sub<u32>(S_USERS, 1);
  tlbFlushAll(cpu);
}

/** The worker gives the CPU up: its frames and deferred records go to others. It holds no lock and no translation. */
export function cpuOffline(cpu: usize): void {
  runReady(cpu);
  abandonDeferred(cpu);
  drainFrames(cpu, cpu);
  store<u32>(cpu, 0, C_ONLINE);
  idleEnter(cpu);
  leaveSpace(cpu);
}
