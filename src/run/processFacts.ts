/**
 * run/processFacts.ts: what /proc tells of processes, from the core: on the main thread, with the service CPU.
 *
 * Spaces    are held while they are looked at. Giving the last reference back may end one here: what the service CPU then keeps
 *           is handed on (settleHost).
 * Racy      words of threads and processes are peeked at: two lines of one text may be of two moments, as in Linux.
 */
import { MapKind, Usage } from "../core/abi/stat.js";
import { CpuWord, ProcessWord, ThreadWord } from "../core/abi/word.js";
import type { Core } from "./core.js";
import { type ProcessFacts, Stage, type UsageFact, type VmaFact } from "./files/service.js";
import { cpuOf, threadName } from "./threadRecords.js";

const PAGE = 4096;
/** What nextVma writes before a name, and the most a name has. */
const VMA_BYTES = 40;
const VMA_NAME_MAX = 80;
/** Ids that the core gives have the top bit set (mm/object.ts). */
const INODE_BITS = 0x7fff_ffff;

/** CPU indexes of a process's live threads. */
function cpusOf(core: Core, pid: number): number[] {
  const found: number[] = [];
  const count = core.cpuCount();
  for (let i = 0; i < count; i++) if (core.threadWord(i, ThreadWord.Pid) === pid) found.push(i);
  return found;
}

export function processFacts(core: Core, cpu: number, memory: WebAssembly.Memory): ProcessFacts {
  const out = core.bounce(cpu);
  const view = new DataView(memory.buffer, out, VMA_BYTES + VMA_NAME_MAX);

  function inSpace<T>(pid: number, look: (space: number) => T): T | undefined {
    const space = core.processSpace(cpu, pid);
    if (space === 0) return undefined;
    try {
      return look(space);
    } finally {
      core.putSpace(cpu, space);
      core.settleHost(cpu);
    }
  }

  function vmas(space: number): VmaFact[] {
    const found: VmaFact[] = [];
    for (let at = 0n; core.nextVma(cpu, space, at, out) !== 0; at = found.at(-1)?.end ?? 0n) found.push(vmaAt(view));
    return found;
  }

  function usage(space: number): UsageFact {
    core.spaceUsage(cpu, space, out);
    const bytes = (what: Usage): number => Number(view.getBigUint64(what * 8, true)) * PAGE;
    const [anon, file, shared] = [bytes(Usage.Anon), bytes(Usage.File), bytes(Usage.Shared)];
    return {
      size: bytes(Usage.Size),
      locked: bytes(Usage.Locked),
      resident: anon + file + shared,
      residentAnon: anon,
      residentFile: file,
      residentShared: shared,
      data: bytes(Usage.Data),
      stack: bytes(Usage.Stack),
      code: bytes(Usage.Code),
      tables: bytes(Usage.Tables),
    };
  }

  return {
    maps: (pid) => inSpace(pid, vmas) ?? [],
    usage: (pid) => inSpace(pid, usage),
    threads: (pid) => {
      const tids = cpusOf(core, pid).map((index) => core.threadWord(index, ThreadWord.Tid));
      return tids.sort((a, b) => (a === pid ? -1 : b === pid ? 1 : a - b));
    },
    parent: (pid) => Math.max(0, core.processWord(pid, ProcessWord.Parent)),
    stage: (pid) => Math.max(Stage.Gone, core.processWord(pid, ProcessWord.State)),
    state: (tid) => {
      if (core.processWord(tid, ProcessWord.State) === Stage.Zombie) return "Z";
      const index = cpuOf(core, tid);
      return index !== undefined && core.cpuWord(index, CpuWord.Idle) === 0 ? "R" : "S";
    },
    name: (tid) => {
      const index = cpuOf(core, tid);
      return index === undefined ? undefined : threadName(core, core.cpuArea(index)) || undefined;
    },
  };
}

/** One VMA as mm/inspect.ts wrote it: {start, end, offset u64, flags, object, bytes of the name, MapKind u32, name}. */
function vmaAt(view: DataView): VmaFact {
  const named = new Uint8Array(view.buffer, view.byteOffset + VMA_BYTES, view.getUint32(32, true));
  const kind = view.getUint32(36, true);
  return {
    start: view.getBigUint64(0, true),
    end: view.getBigUint64(8, true),
    flags: view.getUint32(24, true) & 15,
    object: kind === MapKind.File ? view.getUint32(28, true) : 0,
    ...(kind === MapKind.Zero ? { inode: view.getUint32(28, true) & INODE_BITS } : {}),
    offset: view.getBigUint64(16, true),
    name: nameOf(kind, String.fromCharCode(...named)),
  };
}

function nameOf(kind: MapKind, given: string): string {
  if (kind === MapKind.File) return "";
  if (given !== "") return kind === MapKind.Zero ? `[anon_shmem:${given}]` : `[anon:${given}]`;
  if (kind === MapKind.Heap) return "[heap]";
  if (kind === MapKind.Stack) return "[stack]";
  return kind === MapKind.Zero ? "/dev/zero (deleted)" : "";
}
