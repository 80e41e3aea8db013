/**
 * Runs a strategy over a program until it has no more, or for a sample, and counts: the executions by how they ended, and their traces.
 *
 * A strategy proves itself here: `traces` must hold what brute force holds (nothing missing), `repeated` says how often one
 * came again (none, for an optimal one), `abandoned` how often it started on what was known.
 */
import type { Strategy } from "../strategy.js";
import type { Program } from "./actor.js";
import { End, World, type WorldOptions } from "./world.js";

export interface CountOptions extends WorldOptions {
  /** More executions than this are an error: a search that does not end. */
  most?: number;
  /** How many executions to take of a strategy that goes on for ever. */
  sample?: number;
}

export interface Counts {
  executions: number;
  /** Executions that came to an end, of each kind. */
  complete: number;
  blocked: number;
  deadlocked: number;
  abandoned: number;
  /** Those that were a trace seen before. */
  repeated: number;
  events: number;
  /** Every trace found, with how it ends. */
  readonly traces: Map<string, End>;
}

/** What is published of a program: traces by how they end. */
export interface Ends {
  complete: number;
  blocked: number;
  deadlocked: number;
}

const MOST = 5_000_000;

export function countWith(
  strategyFor: (world: World) => Strategy,
  program: Program,
  options: CountOptions = {},
): Counts {
  const world = new World(program, options);
  const strategy = strategyFor(world);
  const counts: Counts = {
    executions: 0,
    complete: 0,
    blocked: 0,
    deadlocked: 0,
    abandoned: 0,
    repeated: 0,
    events: 0,
    traces: new Map(),
  };
  do {
    if (++counts.executions > (options.most ?? MOST)) throw new Error(`${program.name}: no end of executions`);
    const end = world.run(strategy);
    counts[end]++;
    counts.events += world.events;
    if (end !== End.Abandoned) note(counts, world.form.key, end);
  } while (strategy.more ? strategy.more() : counts.executions < (options.sample ?? 1));
  return counts;
}

function note(counts: Counts, key: string, end: End): void {
  if (counts.traces.has(key)) counts.repeated++;
  else counts.traces.set(key, end);
}

/** Distinct traces, by how they end. */
export function ends({ traces }: Counts): Ends {
  const found: Ends = { complete: 0, blocked: 0, deadlocked: 0 };
  for (const end of traces.values()) if (end !== End.Abandoned) found[end]++;
  return found;
}

/** The traces of one that the other lacks, each as a line; "" when they are the same. For a test's message. */
export function missing(from: Counts, of: Counts): string[] {
  return [...of.traces].filter(([key]) => !from.traces.has(key)).map(([key, end]) => `${end} ${readable(key)}`);
}

/** A trace's key for people: each lane's accesses, as word, how many changes it came after, and "!" if it made one. */
export function readable(key: string): string {
  return key
    .split("\uffff")
    .map((lane) => {
      const events: string[] = [];
      for (let i = 0; i < lane.length; i += 3) {
        const changed = (lane.charCodeAt(i) & 1) === 1;
        events.push(`${lane.charCodeAt(i) >> 1}.${lane.charCodeAt(i + 1)}${changed ? "!" : ""}`);
      }
      return events.join(" ");
    })
    .join(" | ");
}
