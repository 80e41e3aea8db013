/** cli/predict/replay.ts: `predict --replay FILE`: the plan of a recorded program, on how many CPUs it is tried, and what is said of it. */
import { readFileSync } from "node:fs";
import { ModelError } from "../../predict/machine.js";
import { type Plan, planOf } from "../../predict/replay/plan.js";
import { parseRecording } from "../../predict/replay/recording.js";
import { mayReplay } from "../../predict/replay/workload.js";
import { ns } from "./table.js";

export function loadPlan(file: string): Plan {
  let json: string;
  try {
    json = readFileSync(file, "utf8");
  } catch (error) {
    throw new ModelError(`--replay ${file}: ${(error as Error).message}`);
  }
  return planOf(parseRecording(json, file));
}

/** What was asked for, or the recorded number, twice, four times … as many, and the most that the machine has. */
export function replayCpus(plan: Plan, machine: { name: string; cpus: number }, asked?: readonly number[]): number[] {
  const one = plan.streams.length;
  const possible = mayReplay(plan, machine.cpus);
  const most = possible.at(-1);
  const limits = `${machine.name} has ${machine.cpus}, and the recording's addresses and pages must fit as often`;
  if (most === undefined) throw new ModelError(`--replay: ${one} CPUs were recorded; ${limits}`);
  const wrong = asked?.find((n) => !possible.includes(n));
  if (wrong !== undefined) {
    throw new ModelError(
      `--cpus ${wrong}: multiples of the ${one} recorded CPUs are possible, up to ${most}: ${limits}`,
    );
  }
  return asked ? [...asked] : possible.filter((n, i) => n === most || Number.isInteger(Math.log2(i + 1)));
}

/** What was recorded, and, a line each, what of it is not replayed. */
export function aboutPlan(
  { program, streams, faults, calls, recordedNs, programNs, left }: Plan,
  compute: number,
): string {
  const busy = ns(programNs / streams.length);
  const lines = [
    `${program}: ${streams.length} CPUs, ${faults} faults, ${calls} calls in ${ns(recordedNs)}; a CPU computes for ${busy} of it, here × ${compute}`,
  ];
  if (left.lost > 0) lines.push(`warning: ${left.lost} older records were lost: the replay begins in the middle`);
  if (left.others > 0)
    lines.push(`left out: ${left.others} events of other processes, or of before a program was loaded`);
  if (left.failed > 0) lines.push(`left out: ${left.failed} calls that failed`);
  if (left.idle > 0) lines.push(`left out: ${left.idle} calls that change no mapping`);
  return `${lines.join("\n")}\n`;
}
