/**
 * Where everything lies in the one shared memory. Physical address = offset in the wasm memory; frame n = bytes n << 12.
 *
 *   0        4 KiB    never used: a null pointer lands here
 *   0x1000   4 KiB    header: the machine's constants, the global RCU and mmapLock lines, the space record
 *   0x2000   8 KiB    allocator lines: frames, slabs
 *   0x4000  64 KiB    task region: futex buckets, signal records, timers
 *   0x14000 256 KiB   hart region: tables the hart fills once at boot
 *   0x54000 80 KiB/CPU  per-CPU areas (cpu.ts)
 *           4 KiB/CPU   task areas: records of processes and threads (task/region.ts)
 *           64 B/frame  frame descriptors, one line each (mm/frame.ts), for every frame of the memory
 *           rest      frames
 */
export const PAGE_SHIFT: u32 = 12;
export const PAGE_SIZE: u32 = 4096;
export const PAGE_MASK: u64 = 0xffff_ffff_ffff_f000;

/** In pause()'s `round`: the waiter takes no IPI meanwhile, so a pending one is no reason to return. */
export const IRQ_OFF: u32 = 0x8000_0000;

export const HEADER: usize = 0x1000;
export const ALLOCATOR: usize = 0x2000;
export const TASK_REGION: usize = 0x4000;
export const TASK_REGION_BYTES: u32 = 0x10000;
export const HART_REGION: usize = 0x14000;
export const HART_REGION_BYTES: u32 = 0x40000;
export const CPU_AREAS: usize = 0x54000;
export const TASK_AREA_BYTES: u32 = 4096;

/** Header: immutable after boot. */
export const H_MAGIC: usize = HEADER;
export const H_MEMORY_BYTES: usize = HEADER + 4;
export const H_CPUS: usize = HEADER + 8;
export const H_POLICY: usize = HEADER + 12;
export const H_TABLES: usize = HEADER + 16;
export const H_LAYOUT: usize = HEADER + 20;
export const H_DESCRIPTORS: usize = HEADER + 24;
export const H_FIRST_FRAME: usize = HEADER + 28;
export const H_FRAMES: usize = HEADER + 32;
export const H_ZERO_FRAME: usize = HEADER + 36;
/** The first task area, after the last CPU's. */
export const H_TASKS: usize = HEADER + 40;
export const H_PRETOUCH: usize = HEADER + 44;
export const MAGIC: u32 = 0x544c_4146;

/** Highest CPU index ever online, plus one: bounds the loops over CPUs. Atomic; only grows. */
export const H_CPUS_SEEN: usize = HEADER + 64;

/** RCU (rcu.ts), a line of its own. */
export const RCU: usize = HEADER + 128;

/** The first address space (mm/space.ts); the others are records of a slab. */
export const SPACE: usize = HEADER + 256;

export function policy(): u32 {
  return load<u32>(H_POLICY);
}

export function tables(): u32 {
  return load<u32>(H_TABLES);
}

/** How page tables are cut from blocks (abi/mman.ts: Layout). */
export function layout(): u32 {
  return load<u32>(H_LAYOUT);
}

/** Whether a fault asks for its entry's line before it locks the table (abi/mman.ts: Pretouch). */
export function pretouching(): u32 {
  return load<u32>(H_PRETOUCH);
}

export function cpuCount(): u32 {
  return load<u32>(H_CPUS);
}

export function memoryBytes(): u32 {
  return load<u32>(H_MEMORY_BYTES);
}
