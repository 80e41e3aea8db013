/**
 * Why nobody can go on: what each lane waits for, who keeps it from that, and the circle these make.
 *
 *   actor 0 ──a page table's lock──▶ actor 1 ──acknowledgement of CPU 0──▶ actor 0, whose interrupts are off
 *
 * A lane in a pause or asleep waits for a word: a lock, somebody's acknowledgement, a grace period. An actor whose CPU is in
 * an interrupt waits for that to return. No circle: then somebody waits for what nobody will do, and all waits are told.
 */
import { Mark } from "../event.js";
import { type Lane, LaneState } from "../lane.js";
import type { Known } from "./known.js";
import type { Locks } from "./locks.js";

interface Wait {
  lane: Lane;
  text: string;
  /** Who must act first. */
  on: readonly Lane[];
}

export function explainDeadlock(lanes: readonly Lane[], locks: Locks, known: Known): string {
  const waits = new Map<Lane, Wait>();
  for (const lane of lanes) {
    const wait = waitOf(lane, lanes, locks, known);
    if (wait) waits.set(lane, wait);
  }
  const circle = circleOf(waits);
  if (circle) return `a circle: ${circle.map(({ text }) => text).join("; ")}`;
  return [...waits.values()].map(({ text }) => text).join("; ");
}

function waitOf(lane: Lane, lanes: readonly Lane[], locks: Locks, known: Known): Wait | undefined {
  if (lane.call === undefined) return undefined;
  const irq = lanes.find((other) => other.actor === lane && other.call !== undefined);
  if (irq) return { lane, text: `${lane.name} waits for the end of its interrupt`, on: [irq] };
  const { kind, address } = lane.event;
  if (kind !== Mark.Pause && lane.state !== LaneState.Asleep) return undefined;
  const [what, on] = awaited(lane, address, lanes, locks, known);
  const off = lane.irqDepth > 0 ? ", its interrupts off," : "";
  const how = lane.state === LaneState.Asleep ? "sleeps" : "waits";
  return { lane, text: `${lane.name}${off} ${how} for ${what}`, on };
}

function awaited(
  lane: Lane,
  address: number,
  lanes: readonly Lane[],
  locks: Locks,
  known: Known,
): [string, readonly Lane[]] {
  const lock = locks.nameOf(address);
  if (lock !== undefined) {
    const holders = lanes.filter((other) => locks.holds(other, address));
    const by = holders.map((holder) => (holder === lane ? "itself" : holder.name)).join(" and ") || "nobody";
    return [`${lock} (0x${address.toString(16)}), held by ${by}`, holders];
  }
  const cpu = known.acknowledgedBy(address);
  if (cpu >= 0) return acknowledgement(cpu, lanes);
  if (address === known.gracePeriod) {
    const readers = lanes.filter((other) => other.readerDepth > 0);
    return [`the end of a grace period, which ${namesOf(readers)} holds up in a reader section`, readers];
  }
  return [`a change of the word at 0x${address.toString(16)}`, []];
}

function acknowledgement(cpu: number, lanes: readonly Lane[]): [string, readonly Lane[]] {
  const what = `an acknowledgement of CPU ${cpu}`;
  const off = lanes.filter((lane) => lane.cpuIndex === cpu && lane.call && (lane.irqDepth > 0 || lane.actor));
  if (off.length === 0) return [`${what}, which nothing keeps from giving it`, []];
  return [`${what}, where ${namesOf(off)} keeps interrupts off`, off];
}

function namesOf(lanes: readonly Lane[]): string {
  return lanes.map((lane) => lane.name).join(" and ") || "nobody";
}

/** The waits of a circle, in its order; the first found, from the lowest lane. */
function circleOf(waits: ReadonlyMap<Lane, Wait>): Wait[] | undefined {
  for (const wait of waits.values()) {
    const way = wayBack(wait, wait.lane, waits, new Set());
    if (way) return way;
  }
  return undefined;
}

function wayBack(from: Wait, to: Lane, waits: ReadonlyMap<Lane, Wait>, seen: Set<Lane>): Wait[] | undefined {
  seen.add(from.lane);
  for (const lane of from.on) {
    if (lane === to) return [from];
    const next = waits.get(lane);
    if (!next || seen.has(lane)) continue;
    const rest = wayBack(next, to, waits, seen);
    if (rest) return [from, ...rest];
  }
  return undefined;
}
