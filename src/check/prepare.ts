/**
 * Brings a machine into the state a scenario starts from, and captures it.
 *
 *   CPUs online → mappings, touched and emptied as they say → CPUs away or offline → memory nearly used up
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

export function memoryFor({ frames }: Scenario): number {
  return frames === undefined ? OWNED_BYTES : SCARCE_BYTES;
}

export function prepare(machine: Machine, scenario: Scenario, history: History): void {
  const { plain, snapshot } = machine;
  const cpus = scenario.actors.map((_, i) => plain.cpuArea(i));
  for (const cpu of cpus) plain.cpuOnline(cpu);
  if (scenario.heap !== undefined) plain.setBrk(BigInt(scenario.heap));
  history.scarce = scenario.frames !== undefined;
  for (const mapping of scenario.before) {
    mustMap(machine, cpus[0], mapping);
    const { at, pages, prot, state, grows = 0 } = mapping;
    for (let i = 0; i < pages; i++) history.mapped(at + i * PAGE, prot);
    for (let i = 1; i <= grows; i++) history.growable(at - i * PAGE, prot);
    if (state) bringTo(machine, cpus, mapping);
  }
  // What was deferred so far would be handed over at a poll only, and an actor that is done polls no more.
  alone(machine, cpus.slice(1), () => plain.settle(cpus[0], 8));
  if (scenario.frames !== undefined) useUp(machine, cpus, scenario.frames, scenario.records);
  for (const i of scenario.away ?? []) plain.leaveSpace(cpus[i]);
  for (const i of scenario.offline ?? []) plain.cpuOffline(cpus[i]);
  mustHoldAtRest(machine);
  snapshot.capture();
}

function mustMap(machine: Machine, cpu: number, mapping: Mapping): void {
  const got = map(machine, cpu, mapping);
  if (got !== mapping.at) throw new Error(`mapping ${mapping.at.toString(16)} gave ${got}`);
}

function map({ plain }: Machine, cpu: number, { at, pages, prot, grows = 0 }: Mapping): number {
  const flags = MapFlag.Private | MapFlag.Anonymous | MapFlag.Fixed | (grows > 0 ? MapFlag.GrowsDown : 0);
  return Number(plain.sysMmap(cpu, BigInt(at), BigInt(pages * PAGE), prot, flags, 0, 0n));
}

function bringTo(machine: Machine, cpus: readonly number[], { at, pages, prot, state, by = 0 }: Mapping): void {
  const first = cpus[by];
  const others = cpus.filter((cpu) => cpu !== first);
  const touching = state === "framed" ? cpus.slice(-1) : [first, ...others];
  const writable = (prot & 2) !== 0;
  for (const cpu of touching) for (let i = 0; i < pages; i++) mustTouch(machine, cpu, at + i * PAGE, writable);
  if (state === "emptied") alone(machine, others, () => empty(machine, first, at, pages));
}

/** Calls with the other CPUs offline: nobody could acknowledge a shootdown. */
function alone({ plain }: Machine, others: readonly number[], call: () => void): void {
  for (const cpu of others) plain.cpuOffline(cpu);
  call();
  for (const cpu of others) plain.cpuOnline(cpu);
}

function empty({ plain }: Machine, cpu: number, at: number, pages: number): void {
  plain.sysMadvise(cpu, BigInt(at), BigInt(pages * PAGE), Advice.DontNeed);
}

/** Gives a page its frame, in the CPU's TLB, with zeroes in it; only read where it may not be written. */
function mustTouch({ plain, bytes }: Machine, cpu: number, page: number, writable: boolean): void {
  const bounce = plain.bounce(cpu);
  bytes[bounce] = 0;
  const at = BigInt(page + UNUSED_BYTE);
  const failed = writable ? plain.guestWrite(cpu, at, bounce, 1) : plain.guestRead(cpu, bounce, at, 1);
  if (failed !== 0n) throw new Error(`touching ${page.toString(16)} gave ${failed}`);
}

function useUp(machine: Machine, cpus: readonly number[], frames: number, records: number | undefined): void {
  const { plain } = machine;
  const [cpu, ...others] = cpus;
  const settle = () => alone(machine, others, () => plain.settle(cpu, 8));
  mustMap(machine, cpu, { at: FILLER, pages: FILLER_PAGES, prot: RW });
  settle();
  let page = FILLER;
  const spare = records === undefined ? frames : 0;
  for (; plain.stat(Stat.FramesFree) > spare; page += PAGE) mustTouch(machine, cpu, page, true);
  if (records === undefined) return;
  // Each its own VMA: no two touch. What the mappings deferred makes room for more.
  const one = (i: number): Mapping => ({ at: FILLER + (FILLER_PAGES + 2 * i) * PAGE, pages: 1, prot: RW });
  let made = 0;
  for (let before = -1; before !== made; settle()) {
    before = made;
    while (map(machine, cpu, one(made)) > 0) made++;
  }
  for (let i = 0; i < records; i++) plain.sysMunmap(cpu, BigInt(one(--made).at), BigInt(PAGE));
  settle();
  alone(machine, others, () => empty(machine, cpu, page - frames * PAGE, frames));
}
