/**
 * run/dump.ts: the machine's state as lines of text, for the moment an invariant is found broken.
 *
 * Racy: the other CPUs are still at work while it is read. No address here is one of the host's.
 */
import { Pending } from "../core/abi/pending.js";
import { Stat } from "../core/abi/stat.js";
import { CpuWord, ThreadWord } from "../core/abi/word.js";
import type { Core } from "./core.js";

const THREAD_STATES = ["none", "in the pool", "claimed", "live"];

/** One line for the memory, one for each of the first `cpus` CPUs that is or was a thread. */
export function dumpState(core: Core, cpus: number): string[] {
  const of = (what: Stat) => core.stat(what);
  const frames = `${of(Stat.FramesFree)} of ${of(Stat.Frames)} frames free`;
  const records = `${of(Stat.Vmas)} VMAs, ${of(Stat.NodeRecords)} tree nodes, ${of(Stat.SlabFrames)} slab frames`;
  const lines = [`memory: ${frames}, ${records}, ${of(Stat.GracePeriods)} grace periods`];
  for (let i = 0; i < cpus; i++) if (core.threadWord(i, ThreadWord.State) !== 0) lines.push(dumpCpu(core, i));
  return lines;
}

function dumpCpu(core: Core, i: number): string {
  const word = (w: CpuWord) => core.cpuWord(i, w);
  const state = THREAD_STATES[core.threadWord(i, ThreadWord.State)] ?? "?";
  const [tid, pid] = [core.threadWord(i, ThreadWord.Tid), core.threadWord(i, ThreadWord.Pid)];
  const facts = [`cpu ${i}: tid ${tid}${pid !== 0 && pid !== tid ? ` of ${pid}` : ""} ${state}`];
  facts.push(
    word(CpuWord.Online) === 0 ? "offline" : `pc 0x${BigInt.asUintN(64, core.getPc(core.cpuArea(i))).toString(16)}`,
  );
  if (word(CpuWord.Idle) !== 0) facts.push("idle");
  if (word(CpuWord.Asleep) !== 0) facts.push("asleep");
  facts.push(`pending ${pendingNames(word(CpuWord.Pending))}`);
  facts.push(`flushes ${word(CpuWord.FlushDone)}/${word(CpuWord.FlushRequested)}`);
  facts.push(`quiescent for ${word(CpuWord.QuiescentFor)}`, `${word(CpuWord.Deferred)} deferred`);
  const bucket = core.threadWord(i, ThreadWord.Bucket);
  if (bucket !== 0) facts.push(`in futex bucket 0x${bucket.toString(16)}`);
  return facts.join(", ");
}

function pendingNames(bits: number): string {
  const names = Object.entries(Pending).filter(([, bit]) => typeof bit === "number" && (bits & bit) !== 0);
  return names.length === 0 ? "-" : names.map(([name]) => name).join("+");
}
