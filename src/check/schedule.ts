/**
 * A schedule as a string that a person can paste: who ran for how many events, of which execution, on which build.
 *
 *   fault-munmap/optimistic/rcu/page@cda892cd:0x12.1x300.0.1x4       lane 0 twelve events, lane 1 three hundred, …
 *   fault-munmap/optimistic/rcu/page@cda892cd~1,2:0x12.1x300         the same with 1 operation of actor 0, 2 of actor 1
 *
 *   name    the scenario and its setting: words of who runs it, which this file only keeps
 *   build   the first 8 hex digits of the SHA-256 of hooked.wasm: on another build the numbers mean something else, so
 *           `mustBeOf` refuses it
 *   lanes   numbered as in an execution: the actors, then each actor's interrupts
 */
import type { Scenario } from "./scenario.js";
import type { Trace } from "./trace.js";

export interface Run {
  readonly lane: number;
  readonly events: number;
}

export interface Schedule {
  readonly name: string;
  readonly build: string;
  /** How many of its operations each actor does; absent: all. */
  readonly keep?: readonly number[];
  readonly runs: readonly Run[];
}

export class BadSchedule extends Error {}

export function encode({ name, build, keep, runs }: Schedule): string {
  const kept = keep ? `~${keep.join(",")}` : "";
  return `${name}@${build}${kept}:${runs.map(({ lane, events }) => (events === 1 ? lane : `${lane}x${events}`)).join(".")}`;
}

export function decode(text: string): Schedule {
  const parts = /^([^@:~]+)@([0-9a-f]{8})(?:~([\d,]+))?:([\dx.]*)$/.exec(text.trim());
  if (!parts) throw new BadSchedule(`not a schedule: ${text.slice(0, 60)}`);
  const [, name, build, kept, list] = parts;
  const runs = list === "" ? [] : list.split(".").map(runOf);
  return kept === undefined ? { name, build, runs } : { name, build, keep: kept.split(",").map(Number), runs };
}

function runOf(text: string): Run {
  const parts = /^(\d{1,3})(?:x([1-9]\d{0,8}))?$/.exec(text);
  if (!parts) throw new BadSchedule(`not a run of a schedule: "${text}"`);
  return { lane: Number(parts[1]), events: Number(parts[2] ?? 1) };
}

/** The name of a build: eight hex digits of the hash of its hooked module. */
export async function buildHash(hooked: BufferSource): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", hooked));
  return Array.from(digest.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function mustBeOf({ build }: Schedule, hash: string): void {
  if (build !== hash) throw new BadSchedule(`a schedule of build ${build}; this one is ${hash}`);
}

/** What an execution did, as runs. */
export function runsOf(trace: Trace): Run[] {
  const runs: { lane: number; events: number }[] = [];
  for (let i = 0; i < trace.length; i++) {
    const lane = trace.laneAt(i);
    const last = runs.at(-1);
    if (last?.lane === lane) last.events++;
    else runs.push({ lane, events: 1 });
  }
  return runs;
}

/** Neighbours of one lane become one run; empty ones go. */
export function joined(runs: readonly Run[]): Run[] {
  const result: Run[] = [];
  for (const run of runs) {
    const last = result.at(-1);
    if (run.events === 0) continue;
    if (last?.lane === run.lane) result[result.length - 1] = { lane: run.lane, events: last.events + run.events };
    else result.push(run);
  }
  return result;
}

/** The scenario with the first operations of each actor only. */
export function shortened(scenario: Scenario, keep: readonly number[] | undefined): Scenario {
  if (!keep) return scenario;
  return { ...scenario, actors: scenario.actors.map((operations, i) => operations.slice(0, keep[i])) };
}
