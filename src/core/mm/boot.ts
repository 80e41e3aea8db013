/**
 * Lays the machine out in a zeroed memory, once, before any CPU runs; and brings CPUs into and out of the space.
 */
import { Bug } from "../abi/bug";
import { Errno } from "../abi/errno";
import { Layout, Policy, Pretouch, Tables } from "../abi/mman";
import { Most } from "../abi/most";
import { C_HOME, C_ID, C_IDLE, C_ONLINE, C_SPACE, CPU_BYTES, cpuArea, cpuId } from "../sync/cpu";
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
  H_PRETOUCH,
  H_TABLES,
  H_TASKS,
  H_ZERO_FRAME,
  MAGIC,
  SPACE,
  TASK_AREA_BYTES,
} from "../sync/layout";
import { abandonDeferred } from "../sync/rcu";
import { tlbFlushAll } from "../sync/tlb";
import { runReady } from "./deferred";
import { allocFrame, bootFrames, DESCRIPTOR_BYTES, drainFrames, TYPE_ZERO } from "./frame";
import { initSpace, joinSpace, leaveSpace } from "./lifecycle";
import { NAME_BYTES } from "./name";
import { OBJECT_BYTES } from "./object";
import { bootSlab, SLAB_NAME, SLAB_NODE, SLAB_OBJECT, SLAB_SPACE, SLAB_VMA } from "./slab";
import { SPACE_BYTES } from "./space";
import { NODE_BYTES } from "./tree";
import { VMA_BYTES } from "./vma";

/**
 * memoryBytes: size of the memory, a multiple of 64 KiB. cpus: how many areas to lay out, 1 to Most.Cpus; one that is never
 * online may belong to the host. Returns the number of frames, or -ENOMEM (too small for its own tables), -EINVAL (an unknown
 * policy, protection, layout or pretouch; no CPU, or too many).
 */
export function boot(memoryBytes: u32, cpus: u32, policy: u32, tables: u32, layout: u32, pretouch: u32): i32 {
  if (load<u32>(H_MAGIC) == MAGIC) bug(0, Bug.boot_core_already_booted);
  if (policy > <u32>Policy.VmaRefcount || tables > <u32>Tables.Irq) return -Errno.EINVAL;
  if (layout > <u32>Layout.Fragments || pretouch > <u32>Pretouch.Own) return -Errno.EINVAL;
  if (cpus == 0 || cpus > <u32>Most.Cpus) return -Errno.EINVAL;
  const tasks = CPU_AREAS + cpus * CPU_BYTES;
  const descriptors = tasks + cpus * TASK_AREA_BYTES;
  const allFrames = memoryBytes >> 12;
  const firstFrame = (<u64>descriptors + <u64>allFrames * DESCRIPTOR_BYTES + 4095) >> 12;
  if (firstFrame + 32 > allFrames) return -Errno.ENOMEM;
  store<u32>(H_MEMORY_BYTES, memoryBytes);
  store<u32>(H_CPUS, cpus);
  store<u32>(H_POLICY, policy);
  store<u32>(H_TABLES, tables);
  store<u32>(H_LAYOUT, layout);
  store<u32>(H_PRETOUCH, pretouch);
  store<u32>(H_TASKS, <u32>tasks);
  store<u32>(H_DESCRIPTORS, <u32>descriptors);
  bootFrames(<u32>firstFrame, allFrames - <u32>firstFrame);
  bootSlab(SLAB_VMA, VMA_BYTES);
  bootSlab(SLAB_NODE, NODE_BYTES);
  bootSlab(SLAB_OBJECT, OBJECT_BYTES);
  bootSlab(SLAB_SPACE, SPACE_BYTES);
  bootSlab(SLAB_NAME, NAME_BYTES);
  for (let i: u32 = 0; i < cpus; i++) {
    store<u32>(cpuArea(i), i, C_ID);
    store<u32>(cpuArea(i), <u32>SPACE, C_SPACE);
    store<u32>(cpuArea(i), <u32>SPACE, C_HOME);
    atomic.store<u32>(cpuArea(i), 1, C_IDLE);
  }
  const cpu = cpuArea(0);
  store<u32>(H_ZERO_FRAME, <u32>allocFrame(cpu, TYPE_ZERO));
  memory.fill(<usize>load<u32>(H_ZERO_FRAME), 0, 4096);
  initSpace(cpu, SPACE);
  drainFrames(cpu, cpu);
  atomic.store<u32>(H_MAGIC, MAGIC);
  return <i32>(allFrames - firstFrame);
}

/** This worker becomes the CPU: is counted, then joins the space (shootdown.ts says why in this order), with an empty TLB. */
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

/** The worker gives the CPU up: its frames and deferred records go to others. It holds no lock and no translation. */
export function cpuOffline(cpu: usize): void {
  runReady(cpu);
  abandonDeferred(cpu);
  drainFrames(cpu, cpu);
  store<u32>(cpu, 0, C_ONLINE);
  idleEnter(cpu);
  leaveSpace(cpu);
}
