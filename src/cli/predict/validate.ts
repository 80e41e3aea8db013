/**
 * cli/predict/validate.ts: `predict --validate`: the published tables beside what is predicted, row by row.
 *
 * Every file of src/predict/published is run on its machine as the machine file has it. Rows are ratios; what they are of, and why
 * the base's one-thread row is not counted, is in predict/published.ts.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Comparison,
  compare,
  errorOf,
  type Published,
  signRight,
  type Verdict,
  verdictOf,
} from "../../predict/published.js";
import type { Outcome } from "../../predict/run.js";
import type { coloursFor } from "../terminal.js";
import type { Job } from "./job.js";
import { loadMachine } from "./machines.js";
import { jobsOf, type Point, pointsOf } from "./points.js";
import { draw } from "./table.js";

type Colours = ReturnType<typeof coloursFor>;

export interface Validation {
  readonly rows: readonly Comparison[];
  readonly verdict: Verdict;
  readonly points: readonly Point[];
}

export function loadPublished(root: string): Published[] {
  const folder = join(root, "src/predict/published");
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return files.sort().map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")));
}

export function validationJobs(root: string, tables: readonly Published[], seeds: number, operations: number): Job[] {
  return tables.flatMap(({ machine, workload, cpus, columns, gains }) => {
    const loaded = loadMachine(root, machine);
    return jobsOf({
      machine: loaded,
      workloads: [workload],
      policies: [...new Set([...Object.keys(columns), ...Object.keys(gains ?? {})])],
      tables: ["rcu"],
      layouts: [loaded.layout],
      cpus,
      seeds,
      operations,
    });
  });
}

export function validate(
  tables: readonly Published[],
  jobs: readonly Job[],
  outcomes: readonly (Outcome | undefined)[],
): Validation {
  const points = pointsOf(jobs, outcomes);
  const rows = tables.flatMap((table) =>
    compare(table, (policy, cpus) => {
      const same = (point: Point) => point.machine === table.machine && point.workload === table.workload;
      return points.find((point) => same(point) && point.policy === policy && point.cpus === cpus)?.rate;
    }),
  );
  return { rows, verdict: verdictOf(rows), points };
}

export function validationTable({ rows }: Validation, colours: Colours): string {
  const titles = ["table", "policy", "what", "CPUs", "published", "predicted", "error", "sign"];
  return draw(
    titles,
    3,
    colours,
    rows.map((row) => {
      const right = signRight(row);
      return [
        row.table,
        row.policy,
        row.what,
        `${row.cpus}`,
        row.published.toFixed(2),
        row.predicted.toFixed(2),
        `${(100 * errorOf(row)).toFixed(0)} %`,
        right === undefined ? "" : right ? "right" : "WRONG",
      ];
    }),
  );
}

/** One line a table, then the whole. */
export function verdictLines({ rows, verdict }: Validation): string {
  const tables = [...new Set(rows.map(({ table }) => table))];
  const lines = tables.map((table) => `${table}: ${line(verdictOf(rows.filter((row) => row.table === table)))}`);
  return `${lines.join("\n")}\n${line(verdict)}\n`;
}

function line({ medianError, rows, signsRight, signs }: Verdict): string {
  const signed = signs > 0 ? `, ${signsRight} of ${signs} signs right` : "";
  return `median error ${(100 * medianError).toFixed(0)} %${signed} (${rows} rows)`;
}
