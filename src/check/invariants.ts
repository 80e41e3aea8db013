/**
 * What must hold, and when it can be asked.
 *
 *   every access      no frame that is free is touched (scheduler.ts asks before each)
 *   operation's end   interrupt depth and reader depth are zero (scheduler.ts)
 *   at rest           nothing under way: the core's own whole-structure check, mmapLock and table locks among it
 *   at the end        results and bytes explained by an order (history.ts); everything unmapped: all frames and records back
 *
 * The check at rest runs on the shipping module over the same memory, so it is not scheduled; what it writes it puts
 * back. The last one runs the hooked module with nobody listening: its writes are noted for the reset, and to find a lock
 * held there is a violation of its own.
 */
import { Errno } from "../core/abi/errno.js";
import { Advice } from "../core/abi/mman.js";
import { Stat } from "../core/abi/stat.js";
import { CpuWord } from "../core/abi/word.js";
import { bugText, type Machine } from "./hooked.js";
import { atOnce, release } from "./host.js";
import { Violation } from "./violation.js";

const NO_MEMORY = BigInt(-Errno.ENOMEM);
const LOWEST = 0x10000n;
const TASK_SIZE = 1n << 38n;

/** The structure is whole. Ask when no operation is under way. */
export function mustHoldAtRest({ plain, words, descriptors }: Machine): void {
  // It counts in the descriptors of frames what it finds, and enters every space: all that is put back.
  const cpu = plain.cpuArea(0);
  const [first, end] = descriptors;
  const before = words.slice(first, end);
  const area = words.slice(cpu >>> 2, plain.bounce(cpu) >>> 2);
  const bug = plain.verifySpace(cpu);
  words.set(before, first);
  words.set(area, cpu >>> 2);
  if (bug !== 0) throw new Violation("rest", bugText(bug));
}

/** Frames that were there before anything was mapped; a layout of blocks keeps some back. */
export function framesOf({ plain }: Machine): number {
  return plain.stat(Stat.FramesFree) + plain.stat(Stat.FramesHeld) + plain.stat(Stat.SlabFrames);
}

/** Unmaps all, drains what is deferred, and finds everything back. */
export function mustConserve(machine: Machine, cpus: number, frames: number): void {
  const { core, plain } = machine;
  for (let i = 1; i < cpus; i++) {
    const cpu = plain.cpuArea(i);
    if (plain.cpuWord(i, CpuWord.Idle) !== 0) continue;
    core.kernelExit(cpu);
    core.cpuOffline(cpu);
  }
  const cpu = plain.cpuArea(0);
  const [first = plain.firstSpace(), ...others] = machine.host.spaces;
  if (plain.cpuWord(0, CpuWord.Idle) !== 0) core.cpuOnline(cpu);
  if (plain.spaceOf(cpu) !== first) core.switchSpace(cpu, first);
  for (const space of others) if (space !== 0) core.putSpace(cpu, space);
  core.kernelExit(cpu);
  let failed = core.sysMunmap(cpu, LOWEST, TASK_SIZE - LOWEST);
  if (failed === NO_MEMORY) {
    // Even that takes records, and those a frame: give the pages back first.
    core.sysMadvise(cpu, LOWEST, TASK_SIZE - LOWEST, Advice.DontNeed);
    failed = core.sysMunmap(cpu, LOWEST, TASK_SIZE - LOWEST);
  }
  if (failed !== 0n) throw new Violation("leak", `unmapping all gave ${failed}`);
  atOnce(release(machine, cpu));
  const left = core.settle(cpu, 100);
  if (left !== 0) throw new Violation("leak", `${left} deferred records never ran`);
  mustHoldAtRest(machine);
  const vmas = plain.stat(Stat.VmaRecords);
  const nodes = plain.stat(Stat.NodeRecords);
  if (vmas !== 0 || nodes !== 0) throw new Violation("leak", `${vmas} vmas and ${nodes} tree nodes`);
  const objects = plain.stat(Stat.ObjectRecords);
  if (objects !== 0) throw new Violation("leak", `${objects} objects`);
  if (plain.trimsPending() !== 0) throw new Violation("leak", "pages past the end of a file were not looked for");
  const missing = frames - framesOf(machine);
  if (missing !== 0) throw new Violation("leak", `${missing} frames`);
}
