/**
 * Strategy: who decides the interleaving of one execution after another.
 *
 *   begin(lanes) ─▶ choose, performed, choose, performed … ─▶ ended() ─▶ more()? begin again
 *
 * A strategy sees lanes, each stopped at its next event, and names the one that goes on. It knows nothing of the core:
 * the same strategies drive the hooked core (scheduler.ts) and the reference programs that prove them (reference/).
 */
import type { Event } from "./event.js";
import type { Lane } from "./lane.js";

export interface Strategy {
  /** Before each execution; the lanes are those of every execution. */
  begin(lanes: readonly Lane[]): void;
  /** Asked first, when the lane that performed the last event could go on: true keeps it, and spares finding out who else could. */
  carriesOn?(lane: Lane): boolean;
  /**
   * One of `enabled`, which is never empty; undefined abandons the execution: whatever follows is known.
   * `last` performed the last event. Each lane's `event` is what it would do.
   */
  choose(enabled: readonly Lane[], last: Lane | undefined): Lane | undefined;
  /**
   * What `lane` was stopped at has taken effect; `lane.event` is still that event. `wrote`: memory is not what it was (false
   * for a failed compare-and-swap, or a store of what was there). `before`: the word at the address as it was.
   * `alone`: the event was possible only because nobody else could go on (a time limit ran out).
   */
  performed?(lane: Lane, event: Event, wrote: boolean, before: number, alone: boolean): void;
  /** The execution is over: every actor done, or abandoned, or a rule broken. */
  ended?(): void;
  /** Whether there is another execution to run. A strategy without it goes on for ever: a sample. */
  more?(): boolean;
  /** False on the way down to a place that is already known: what holds at rest need not be asked again. */
  readonly fresh?: boolean;
  /** What a finished exploration may claim, in one line: "all executions", "at most 2 preemptions" … */
  readonly claim: string;
}

/** What a search must know of what it drives. */
export interface System {
  readonly memoryBytes: number;
  readonly lanes: number;
  /** The word at an address, now. */
  word(address: number): number;
  /** Whether the interrupts of the CPU whose area begins at `cpu` may touch an address. */
  touches(cpu: number, address: number): boolean;
}

/** How far a verdict reaches. A truncated exploration is never complete. */
export type Reach = "complete" | "bounded" | "sampled" | "interrupted";
