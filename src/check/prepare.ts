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
import type { History } from "./history.js";
import type { Machine } from "./hooked.js";
import { mustHoldAtRest } from "./invariants.js";
import { PAGE } from "./operations.js";
import type { Mapping, Scenario } from "./scenario.js";

/** Enough for the core's own areas, three CPUs' batches of frames and the pages of a scenario. */
const OWNED_BYTES = 2 << 20;
/** For two CPUs, and few frames to use up. */
const SCARCE_BYTES = 11 << 16;
const UNUSED_BYTE = 0x2e;
/** Its pages share no place in the TLB with those of the scenarios. */
const FILLER = 0x3004_0000;
const FILLER_PAGES = 256;
const RW = 3;
/** VMAs, fewer than a frame holds, in more tree nodes than were made at first. */
const FEW = 48;

export function memoryFor({ frames }: Scenario): number {
  return frames === undefined ? OWNED_BYTES : SCARCE_BYTES;
}

export function prepare(machine: Machine, scenario: Scenario, history: History): void {
  const { plain, snapshot } = machine;
  const cpus = scenario.actors.map((_, i) => plain.cpuArea(i));
  for (const cpu of cpus) plain.cpuOnline(cpu);
  if (scenario.heap !== undefined) plain.setBrk(plain.cpuArea(0), BigInt(scenario.heap));
  history.scarce = scenario.frames !== undefined;
  for (const mapping of scenario.before) {
    const { at, pages, prot, grows = 0 } = mapping;
    mustMap(machine, cpus[0], mapping);
    for (let i = 0; i < pages; i++) history.mapped(at + i * PAGE, prot);
    for (let i = 1; i <= grows; i++) history.growable(at - i * PAGE, prot);
  }
  // Emptying takes translations from every CPU: it comes first.
  for (const mapping of scenario.before) if (mapping.state === "emptied") empty(machine, cpus, mapping);
  for (const mapping of scenario.before) touch(machine, cpus, mapping);
  if (scenario.frames !== undefined) {
    useUp(machine, cpus, scenario.frames, scenario.records);
    settle(machine, cpus);
  }
  for (const i of scenario.away ?? []) plain.leaveSpace(cpus[i]);
  for (const i of scenario.offline ?? []) plain.cpuOffline(cpus[i]);
  mustHoldAtRest(machine);
  snapshot.capture();
}

/** Runs what was deferred: it would be handed over at polls only, and an actor that is done polls no more. */
function settle({ plain }: Machine, cpus: readonly number[]): void {
  for (let round = 0; round < 8; round++) {
    plain.settle(cpus[0], 1);
    for (const cpu of cpus) plain.kernelExit(cpu);
  }
}

function mustMap(machine: Machine, cpu: number, mapping: Mapping): void {
  const got = map(machine, cpu, mapping);
  if (got !== mapping.at) throw new Error(`mapping ${mapping.at.toString(16)} gave ${got}`);
}

function map({ plain }: Machine, cpu: number, { at, pages, prot, grows = 0 }: Mapping): number {
  const flags = MapFlag.Private | MapFlag.Anonymous | MapFlag.Fixed | (grows > 0 ? MapFlag.GrowsDown : 0);
  return Number(plain.sysMmap(cpu, BigInt(at), BigInt(pages * PAGE), prot, flags, 0, 0n));
}

function touch(machine: Machine, cpus: readonly number[], { at, pages, prot, state }: Mapping): void {
  if (state !== "touched" && state !== "framed") return;
  const touching = state === "framed" ? cpus.slice(-1) : cpus;
  for (const cpu of touching) mustTouch(machine, cpu, at, pages, prot);
}

/** Gives each page a frame and takes it back. The other CPUs are away meanwhile: they could not acknowledge the shootdown. */
function empty(machine: Machine, cpus: readonly number[], { at, pages, prot, by = 0 }: Mapping): void {
  const { plain } = machine;
  const others = cpus.filter((_, i) => i !== by);
  mustTouch(machine, cpus[by], at, pages, prot);
  for (const cpu of others) plain.leaveSpace(cpu);
  plain.sysMadvise(cpus[by], BigInt(at), BigInt(pages * PAGE), Advice.DontNeed);
  for (const cpu of others) plain.joinSpace(cpu);
}

/** Gives pages their frames, in the CPU's TLB, with zeroes in them; only reads where it may not write. */
function mustTouch({ plain, bytes }: Machine, cpu: number, at: number, pages: number, prot: number): void {
  const bounce = plain.bounce(cpu);
  for (let page = at; page < at + pages * PAGE; page += PAGE) {
    bytes[bounce] = 0;
    const byte = BigInt(page + UNUSED_BYTE);
    const failed = prot & 2 ? plain.guestWrite(cpu, byte, bounce, 1) : plain.guestRead(cpu, bounce, byte, 1);
    if (failed !== 0n) throw new Error(`touching ${page.toString(16)} gave ${failed}`);
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
