/**
 * run/facts.ts: what /proc tells of processes, asked of the core on the main thread.
 *
 * cpu       the service CPU. A space is looked into with a reference held; giving the last one back may end it here, so what the
 *           service CPU then keeps is handed on (settleHost).
 * Waits     for an mmapLock at most: its holders wait for no host call while they have it.
 */
import { MapKind, Usage } from "../core/abi/stat.js";
import { ProcessWord, ThreadLong, ThreadWord } from "../core/abi/word.js";
import type { Core } from "./core.js";
import type { ProcessFacts, UsageFact, VmaFact } from "./files/service.js";

const PAGE = 4096;
const MOST_THREADS = 256;
const ZOMBIE = 2;
/** Ids that the core gives have the top bit set (mm/object.ts). */
const INODE_BITS = 0x7fff_ffff;
const NAMES: Readonly<Partial<Record<MapKind, string>>> = {
  [MapKind.Heap]: "[heap]",
  [MapKind.Stack]: "[stack]",
  [MapKind.Zero]: "/dev/zero (deleted)",
};

export function processFacts(core: Core, cpu: number, memory: WebAssembly.Memory): ProcessFacts {
  const out = core.bounce(cpu);
  const view = new DataView(memory.buffer, out, 4096);
  const bytes = new Uint8Array(memory.buffer, out, 4096);

  const look = <T>(pid: number, body: (space: number) => T): T | undefined => {
    const space = core.processSpace(cpu, pid);
    if (space === 0) return undefined;
    try {
      return body(space);
    } finally {
      core.putSpace(cpu, space);
      core.settleHost(cpu);
    }
  };

  /** [vsyscall] and its like there are none; a name of prctl(2) stands in brackets. */
  const nameOf = (length: number, kind: MapKind): string => {
    if (length === 0) return NAMES[kind] ?? "";
    const text = String.fromCharCode(...bytes.subarray(40, 40 + length));
    return kind === MapKind.Zero ? `[anon_shmem:${text}]` : `[anon:${text}]`;
  };

  const maps = (space: number): VmaFact[] => {
    const found: VmaFact[] = [];
    for (let at = 0n; core.nextVma(cpu, space, at, out) !== 0; at = view.getBigUint64(8, true)) {
      const kind: MapKind = view.getUint32(36, true);
      found.push({
        start: view.getBigUint64(0, true),
        end: view.getBigUint64(8, true),
        flags: view.getUint32(24, true) & 15,
        object: kind === MapKind.File ? view.getUint32(28, true) : 0,
        ...(kind === MapKind.Zero ? { inode: view.getUint32(28, true) & INODE_BITS } : {}),
        offset: kind === MapKind.File || kind === MapKind.Zero ? view.getBigUint64(16, true) : 0n,
        name: nameOf(view.getUint32(32, true), kind),
      });
    }
    return found;
  };

  const usage = (space: number): UsageFact => {
    core.spaceUsage(cpu, space, out);
    const of = (what: Usage): number => Number(view.getBigUint64(what * 8, true)) * PAGE;
    const [residentAnon, residentFile, residentShared] = [of(Usage.Anon), of(Usage.File), of(Usage.Shared)];
    return {
      size: of(Usage.Size),
      locked: of(Usage.Locked),
      resident: residentAnon + residentFile + residentShared,
      residentAnon,
      residentFile,
      residentShared,
      data: of(Usage.Data),
      stack: of(Usage.Stack),
      code: of(Usage.Code),
      tables: of(Usage.Tables),
      swapped: 0,
    };
  };

  return {
    maps: (pid) => look(pid, maps) ?? [],
    usage: (pid) => look(pid, usage),
    threads(pid) {
      const count = core.threadsOf(cpu, pid, out, MOST_THREADS);
      const tids = Array.from({ length: count }, (_, i) => view.getUint32(i * 4, true));
      return tids.sort((a, b) => Number(b === pid) - Number(a === pid) || a - b);
    },
    parent: (pid) => Math.max(0, core.processWord(pid, ProcessWord.Parent)),
    name: (tid) => threadName(core, tid),
    state: (pid) => (core.processWord(pid, ProcessWord.State) === ZOMBIE ? "Z" : "R"),
  };
}

/** What a live thread is called, as a byte string: sixteen bytes with the NULs. Racy: the thread may rename itself. */
function threadName(core: Core, tid: number): string | undefined {
  for (let index = 0, end = core.cpuCount() - 1; index < end; index++) {
    if (core.threadWord(index, ThreadWord.Tid) !== tid || core.threadWord(index, ThreadWord.Pid) === 0) continue;
    const area = core.cpuArea(index);
    const words = BigInt64Array.of(core.ownLong(area, ThreadLong.NameLow), core.ownLong(area, ThreadLong.NameHigh));
    const text = String.fromCharCode(...new Uint8Array(words.buffer));
    return text.split("\0")[0] || undefined;
  }
  return undefined;
}
