/**
 * What a lane does at one moment: an access the hooked core announced, a marker, or the edge of an operation.
 *
 * Kinds 1–12 are the core's own (core/abi/step.ts). The rest exist only here: edges of operations and words of the core
 * that have no instruction. A `Pause` carries the value that was seen in `width`; `irqOff` says how it heeds interrupts.
 */
import { Step } from "../core/abi/step.js";

export enum Mark {
  /** An operation, or an interrupt, begins. `address` is its number in the lane. */
  Begin = 32,
  /** The actor waits until the word at `address` is no longer `width`. */
  Pause = 33,
  RcuEnter = 34,
  RcuExit = 35,
  IrqOff = 36,
  IrqOn = 37,
  /** The actor leaves a wait on the word at `address`. */
  Wake = 38,
}

/** The event a lane performs next. One object a lane, overwritten: copy what you keep. */
export interface Event {
  kind: number;
  address: number;
  width: number;
  /** Index into the table of sites; 0 for a mark. */
  site: number;
}

/** One entry of build/sites.json: where in the core an announced access is. */
export interface Site {
  function: string;
  kind: string;
  instruction: string;
  /** Place in the source, below src/core. Of an inlined helper, the helper's. Absent when the build had no source map. */
  file?: string;
  line?: number;
}

export function kindName(kind: number): string {
  return Step[kind] ?? Mark[kind] ?? `kind ${kind}`;
}

export function isMark(kind: number): boolean {
  return kind >= Mark.Begin;
}

/** Whether the event may change memory. A compare-and-swap counts as one that does until its outcome is known. */
export function mayWrite(kind: number): boolean {
  return WRITES[kind] === 1;
}

const WRITES = new Uint8Array(64);
for (const kind of [Step.Store, Step.AtomicStore, Step.AtomicRmw, Step.AtomicCmpxchg, Step.Fill, Step.CopyTo]) {
  WRITES[kind] = 1;
}
