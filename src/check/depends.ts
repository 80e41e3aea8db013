/**
 * Whether what a lane would do next depends on what another lane just did: whether the two, in the other order, could end
 * otherwise. Wrong answers may only be "yes": it wakes a sleeping lane (exhaustive.ts).
 */
import { Step } from "../core/abi/step.js";
import { type Event, Mark, mayWrite } from "./event.js";
import { NARROW } from "./happens.js";
import type { Lane } from "./lane.js";

/** Whether the interrupts of the CPU whose area begins at `cpu` may touch an address. */
export type Touches = (cpu: number, address: number) => boolean;

const PAGE_MASK = 0xffff_f000;

/** `sleeper.event` is what it would do; `lane` just performed `event`, which changed something if `wrote`. */
export function dependsOn(sleeper: Lane, lane: Lane, event: Event, wrote: boolean, touches: Touches): boolean {
  const next = sleeper.event;
  // An interrupt is all of its handler: what its own actor does may be what the handler will look at.
  if (sleeper.actor === lane && next.kind === Mark.Begin) {
    return event.kind >= Mark.Begin || overlapsInterrupt(lane.cpu, event, touches);
  }
  if (event.kind >= Mark.Begin) return lane.actor === sleeper && isMaskMark(next.kind);
  if (next.kind < Mark.Begin) return accessesDepend(next, event, wrote);
  if (next.kind === Mark.Wake) return event.kind === Step.Notify && event.address === next.address;
  if (!wrote) return false;
  if (next.kind === Mark.Begin) {
    return sleeper.actor !== undefined && (covers(event, sleeper.pendingAddress) || covers(event, sleeper.idleAddress));
  }
  if (next.kind !== Mark.Pause) return false;
  if (covers(event, next.address)) return true;
  for (let i = 0; i < sleeper.watching; i++) if (covers(event, sleeper.watched[i])) return true;
  return false;
}

function accessesDepend(next: Event, event: Event, wrote: boolean): boolean {
  if (next.kind === Step.Fence || event.kind === Step.Fence) return false;
  const lists = (kind: number) => kind === Step.Notify || kind === Step.Wait;
  if (lists(next.kind) && lists(event.kind) && next.address === event.address) return true;
  if (!wrote && !mayWrite(next.kind)) return false;
  return first(next) < end(event) && first(event) < end(next);
}

function covers(event: Event, address: number): boolean {
  return first(event) <= address && address < end(event);
}

/** Accesses are taken by words, wide ones by pages, as in happens.ts. */
function first({ address, width }: Event): number {
  return (width > NARROW ? address & PAGE_MASK : address & ~3) >>> 0;
}

function end({ address, width }: Event): number {
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
