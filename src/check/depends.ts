/**
 * Whether what a lane would do next depends on what another lane just did: whether the two, in the other order, could end
 * otherwise. Wrong answers may only be "yes": it wakes a sleeping lane (exhaustive.ts).
 */
import { Step } from "../core/abi/step.js";
import { NARROW } from "./accesses.js";
import { type Event, Mark } from "./event.js";
import type { Lane } from "./lane.js";
import type { System } from "./strategy.js";

type Touches = System["touches"];

const PAGE_MASK = 0xffff_f000;

/**
 * `sleeper.event` is what it would do, and would it change something (`writes`)? `lane` just performed `event`, which changed
 * something if `wrote`.
 */
export function dependsOn(
  sleeper: Lane,
  writes: boolean,
  lane: Lane,
  event: Event,
  wrote: boolean,
  touches: Touches,
): boolean {
  const next = sleeper.event;
  // An interrupt is all of its handler: what its own actor does may be what the handler will look at.
  if (sleeper.actor === lane && next.kind === Mark.Begin) {
    return event.kind >= Mark.Begin || overlapsInterrupt(lane.cpu, event, touches);
  }
  if (event.kind < Mark.Begin && next.kind < Mark.Begin) return accessesDepend(next, writes, event, wrote);
  if (event.kind < Mark.Begin) return markDepends(sleeper, next, event, wrote);
  if (next.kind < Mark.Begin) return markDepends(lane, event, next, writes);
  return lane.actor === sleeper && event.kind === Mark.Begin && isMaskMark(next.kind);
}

function accessesDepend(next: Event, writes: boolean, event: Event, wrote: boolean): boolean {
  if (next.kind === Step.Fence || event.kind === Step.Fence) return false;
  const lists = (kind: number) => kind === Step.Notify || kind === Step.Wait;
  if (lists(next.kind) && lists(event.kind) && next.address === event.address) return true;
  if (!wrote && !writes) return false;
  return overlap(next, event);
}

/** A mark of `lane`, and another lane's access. */
function markDepends(lane: Lane, mark: Event, access: Event, writes: boolean): boolean {
  if (mark.kind === Mark.Wake) return access.kind === Step.Notify && access.address === mark.address;
  if (!writes) return false;
  if (mark.kind === Mark.Begin) {
    return lane.actor !== undefined && (covers(access, lane.pendingAddress) || covers(access, lane.idleAddress));
  }
  if (mark.kind !== Mark.Pause) return false;
  if (covers(access, mark.address)) return true;
  for (let i = 0; i < lane.watching; i++) if (covers(access, lane.watched[i])) return true;
  return false;
}

function covers(event: Event, address: number): boolean {
  return first(event) <= address && address < end(event);
}

type Range = Pick<Event, "address" | "width">;

/** Accesses are taken by words, wide ones by pages, as in accesses.ts. */
export function overlap(a: Range, b: Range): boolean {
  return first(a) < end(b) && first(b) < end(a);
}

function first({ address, width }: Range): number {
  return (width > NARROW ? address & PAGE_MASK : address & ~3) >>> 0;
}

function end({ address, width }: Range): number {
  const last = address + width - 1;
  return width > NARROW ? ((last & PAGE_MASK) >>> 0) + 4096 : ((last & ~3) >>> 0) + 4;
}

function overlapsInterrupt(cpu: number, event: Event, touches: Touches): boolean {
  if (event.kind === Step.Fence) return false;
  return touches(cpu, event.address) || touches(cpu, event.address + event.width - 1);
}

function isMaskMark(kind: number): boolean {
  return kind >= Mark.RcuEnter && kind <= Mark.IrqOn;
}
