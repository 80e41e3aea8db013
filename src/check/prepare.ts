/**
 * Brings a machine into the state a scenario starts from, and captures it.
 *
 *   CPUs online → mappings, emptied or touched as they say → memory nearly used up → CPUs away or offline
 *
 * Runs on the shipping module, so nothing of it is scheduled. What is read of the pages is told to the history.
 *
 * Scarce     frames are used up by touching pages of a mapping of its own, at FILLER, until as many are free as the scenario
 *            says; records by mapping single pages until it is told that there are none, and then giving some back.
 */
import { Advice, MapFlag } from "../core/abi/mman.js";
import { Stat } from "../core/abi/stat.js";
import { CpuWord } from "../core/abi/word.js";
import { mapFile } from "./fileOperations.js";
import type { History } from "./history.js";
import type { Machine } from "./hooked.js";
import { atOnce, type Host, MOST_PAGES } from "./host.js";
import { mustHoldAtRest } from "./invariants.js";
import { PAGE, read, write } from "./operations.js";
import type { FileAtStart, Mapping, Scenario } from "./scenario.js";

/** Enough for the core's own areas, three CPUs' batches of frames and the pages of a scenario. */
const OWNED_BYTES = 2 << 20;
/** For two CPUs, and few frames to use up. */
const SCARCE_BYTES = 12 << 16;
const UNUSED_BYTE = 0x2e;
/** Its pages share no place in the TLB with those of the scenarios. */
const FILLER = 0x3004_0000;
const FILLER_PAGES = 256;
const R = 1;
const RW = 3;
/** VMAs, fewer than a frame holds, in more tree nodes than were made at first. */
const FEW = 48;

export function memoryFor({ frames }: Scenario): number {
  return frames === undefined ? OWNED_BYTES : SCARCE_BYTES;
}

export function prepare(machine: Machine, scenario: Scenario, history: History): void {
  const { plain, snapshot } = machine;
  const cpus = scenario.actors.map((_, i) => plain.cpuArea(i));
  const { host } = machine;
  host.spaces.push(plain.firstSpace());
  const home = (i: number): number => scenario.home?.[i] ?? 0;
  cpus.forEach((cpu, i) => {
    if (home(i) === 0) plain.cpuOnline(cpu);
  });
  if (scenario.second === "empty") openSecond(machine, scenario, cpus, plain.newSpace(cpus[0]));
  for (const file of scenario.files ?? []) openFile(host, file, history);
  if (scenario.heap !== undefined) plain.setBrk(plain.cpuArea(0), BigInt(scenario.heap));
  history.scarce = scenario.frames !== undefined;
  for (const mapping of scenario.before) {
    const { at, pages, prot, grows = 0, of, space = 0 } = mapping;
    mustMap(machine, firstIn(machine, cpus, space), mapping);
    const backing = of === undefined ? "anonymous" : of === "shared" ? of : of.kind;
    for (let i = 0; i < pages; i++) {
      if (of === "shared") history.object(at + i * PAGE, new Map());
      history.mapped(at + i * PAGE, prot, space, backing);
      if (scenario.second === "fork") history.mapped(at + i * PAGE, prot, 1, backing);
    }
    for (let i = 1; i <= grows; i++) history.growable(at - i * PAGE, prot);
  }
  // Emptying takes translations from every CPU: it comes first.
  for (const mapping of scenario.before) if (mapping.state === "emptied") empty(machine, cpus, mapping);
  for (const mapping of scenario.before) touch(machine, cpus, mapping);
  if (scenario.second === "fork") openSecond(machine, scenario, cpus, forkAlone(machine, cpus));
  if (scenario.frames !== undefined) {
    useUp(machine, cpus, scenario.frames, scenario.records);
    settle(machine, cpus);
  }
  for (const i of scenario.away ?? []) plain.leaveSpace(cpus[i]);
  for (const i of scenario.offline ?? []) plain.cpuOffline(cpus[i]);
  mustHoldAtRest(machine);
  snapshot.capture();
  host.capture();
}

/** The second space is there: who lives in it comes online. */
function openSecond({ plain, host }: Machine, { home }: Scenario, cpus: readonly number[], space: number): void {
  host.spaces.push(space);
  cpus.forEach((cpu, i) => {
    if (home?.[i] !== 1) return;
    plain.assignSpace(cpu, space);
    plain.cpuOnline(cpu);
  });
}

function openFile(host: Host, file: FileAtStart, history: History): void {
  host.add(file);
  for (let first = 0; first < MOST_PAGES * PAGE; first += PAGE) {
    const inPage = file.bytes.filter(([offset]) => offset >= first && offset < first + PAGE);
    const bytes = new Map(inPage.map(([offset, value]) => [offset - first, value]));
    history.object(file.at + first, first < file.size ? bytes : undefined);
  }
}

/** The CPUs that are in a space. */
function inSpace(machine: Machine, cpus: readonly number[], space: number): number[] {
  const { plain, host } = machine;
  return cpus.filter((cpu) => isOnline(machine, cpu) && plain.spaceOf(cpu) === host.spaces[space]);
}

function isOnline({ plain }: Machine, cpu: number): boolean {
  return plain.cpuWord(plain.cpuId(cpu), CpuWord.Idle) === 0;
}

function firstIn(machine: Machine, cpus: readonly number[], space: number): number {
  const [first] = inSpace(machine, cpus, space);
  if (first === undefined) throw new Error(`no CPU is in space ${space}`);
  return first;
}

/** The others are away meanwhile: they could not acknowledge the shootdown. */
function forkAlone(machine: Machine, cpus: readonly number[]): number {
  const { plain } = machine;
  const others = inSpace(machine, cpus.slice(1), 0);
  for (const cpu of others) plain.leaveSpace(cpu);
  const child = Number(plain.forkSpace(cpus[0]));
  for (const cpu of others) plain.joinSpace(cpu);
  if (child < 0) throw new Error("no memory for a fork");
  return child;
}

/** Runs what was deferred: it would be handed over at polls only, and an actor that is done polls no more. */
function settle({ plain }: Machine, cpus: readonly number[]): void {
  for (let round = 0; round < 8; round++) {
    plain.settle(cpus[0], 1);
    for (const cpu of cpus) plain.kernelExit(cpu);
  }
}

function mustMap(machine: Machine, cpu: number, mapping: Mapping): void {
  const { at, pages, prot, of } = mapping;
  if (typeof of === "object") {
    const operation = mapFile(of.file, pages, prot, of.kind, (at - of.file.at) / PAGE);
    if (atOnce(operation.calls(machine, cpu)).result !== at)
      throw new Error(`no mapping of a file at ${at.toString(16)}`);
    return;
  }
  const got = map(machine, cpu, mapping);
  if (got !== mapping.at) throw new Error(`mapping ${mapping.at.toString(16)} gave ${got}`);
}

function map({ plain }: Machine, cpu: number, { at, pages, prot, of, grows = 0 }: Mapping): number {
  const kind = of === "shared" ? MapFlag.Shared : MapFlag.Private;
  const flags = kind | MapFlag.Anonymous | MapFlag.Fixed | (grows > 0 ? MapFlag.GrowsDown : 0);
  return Number(plain.sysMmap(cpu, BigInt(at), BigInt(pages * PAGE), prot, flags, 0, 0n));
}

function touch(machine: Machine, cpus: readonly number[], { at, pages, prot, state, space = 0 }: Mapping): void {
  if (state === undefined || state === "emptied") return;
  const inside = inSpace(machine, cpus, space);
  const touching = state === "framed" ? inside.slice(-1) : inside;
  for (const cpu of touching) mustTouch(machine, cpu, at, pages, state === "seen" ? R : prot);
  if (state !== "narrowed") return;
  const [first, ...others] = inside;
  for (const cpu of others) machine.plain.leaveSpace(cpu);
  for (const now of [R, prot]) machine.plain.sysMprotect(first, BigInt(at), BigInt(pages * PAGE), now);
  for (const cpu of others) machine.plain.joinSpace(cpu);
}

/** Gives each page a frame and takes it back. The other CPUs are away meanwhile: they could not acknowledge the shootdown. */
function empty(machine: Machine, cpus: readonly number[], { at, pages, prot, of, by = 0 }: Mapping): void {
  const { plain } = machine;
  const others = cpus.filter((cpu, i) => i !== by && isOnline(machine, cpu));
  mustTouch(machine, cpus[by], at, pages, of === undefined ? prot : R);
  for (const cpu of others) plain.leaveSpace(cpu);
  plain.sysMadvise(cpus[by], BigInt(at), BigInt(pages * PAGE), Advice.DontNeed);
  for (const cpu of others) plain.joinSpace(cpu);
}

/** Gives pages their frames, in the CPU's TLB, with zeroes in them; only reads where it may not write. */
function mustTouch(machine: Machine, cpu: number, at: number, pages: number, prot: number): void {
  for (let page = at; page < at + pages * PAGE; page += PAGE) {
    const access = prot & 2 ? write(page + UNUSED_BYTE, 0) : read(page + UNUSED_BYTE);
    const { result } = atOnce(access.calls(machine, cpu));
    if (result !== 0) throw new Error(`touching ${page.toString(16)} gave ${result}`);
  }
}

function useUp(machine: Machine, cpus: readonly number[], frames: number, records: number | undefined): void {
  const { plain } = machine;
  const [cpu] = cpus;
  mustMap(machine, cpu, { at: FILLER, pages: FILLER_PAGES, prot: RW });
  // Each its own VMA: no two touch.
  const one = (i: number): Mapping => ({ at: FILLER + (FILLER_PAGES + 2 * i) * PAGE, pages: 1, prot: RW });
  let made = 0;
  // While tree nodes still find frames: afterwards VMAs are what is short.
  if (records !== undefined) while (made < FEW) mustMap(machine, cpu, one(made++));
  settle(machine, cpus);
  for (let page = FILLER; plain.stat(Stat.FramesFree) > frames; page += PAGE) mustTouch(machine, cpu, page, 1, RW);
  if (records === undefined) return;
  // What the mappings deferred makes room for more.
  for (let before = -1; before !== made; settle(machine, cpus)) {
    before = made;
    while (map(machine, cpu, one(made)) > 0) made++;
  }
  // No table is under them, so nobody need be asked to flush.
  for (let i = 0; i < records; i++) plain.sysMunmap(cpu, BigInt(one(--made).at), BigInt(PAGE));
}
