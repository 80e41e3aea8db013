/**
 * Published figures as data (published/*.json), and how they are compared with what is predicted.
 *
 *   rate     of a row, against the first of the table's base, one thread: the model promises ratios, not absolute rates
 *   gain     of a column over the base at the same number of threads; its sign is what an argument was about
 * The base's one-thread figure is an input (the machine's `fault`), so that row is no evidence and is not counted.
 */
export interface Published {
  readonly name: string;
  readonly about: string;
  readonly source: string;
  readonly machine: string;
  readonly workload: string;
  readonly unit: string;
  readonly cpus: readonly number[];
  /** The column that the others are compared with. */
  readonly base: string;
  /** By policy, a figure for each number of CPUs. */
  readonly columns: Readonly<Record<string, readonly (number | null)[]>>;
  /** Where only the gain over the base is published. */
  readonly gains?: Readonly<Record<string, readonly number[]>>;
}

export interface Comparison {
  readonly table: string;
  readonly policy: string;
  readonly cpus: number;
  readonly what: "× base, first row" | "× base, same CPUs";
  readonly published: number;
  readonly predicted: number;
}

/** A gain smaller than this is no gain, on either side. */
const NOTHING = 0.015;

/** `rateOf` gives what is predicted, where it is known. */
export function compare(table: Published, rateOf: (policy: string, cpus: number) => number | undefined): Comparison[] {
  const rows: Comparison[] = [];
  const { name, base, columns, gains = {}, cpus } = table;
  const one = columns[base][0]!;
  const baseRate = rateOf(base, cpus[0]);
  for (const [policy, column] of Object.entries(columns)) {
    column.forEach((figure, i) => {
      const rate = rateOf(policy, cpus[i]);
      if (figure === null || rate === undefined || !baseRate || (policy === base && i === 0)) return;
      const row = { table: name, policy, cpus: cpus[i] };
      rows.push({ ...row, what: "× base, first row", published: figure / one, predicted: rate / baseRate });
      const beside = columns[base][i];
      const besideRate = rateOf(base, cpus[i]);
      if (policy === base || beside === null || !besideRate) return;
      rows.push({ ...row, what: "× base, same CPUs", published: figure / beside, predicted: rate / besideRate });
    });
  }
  for (const [policy, column] of Object.entries(gains)) {
    column.forEach((gain, i) => {
      const rate = rateOf(policy, cpus[i]);
      const besideRate = rateOf(base, cpus[i]);
      if (rate === undefined || !besideRate) return;
      rows.push({
        table: name,
        policy,
        cpus: cpus[i],
        what: "× base, same CPUs",
        published: gain,
        predicted: rate / besideRate,
      });
    });
  }
  return rows;
}

export function errorOf({ published, predicted }: Comparison): number {
  return predicted / published - 1;
}

/** Of a gain: whether both say more, both less, or both nothing to speak of. Undefined for other rows. */
export function signRight({ what, published, predicted }: Comparison): boolean | undefined {
  return what === "× base, same CPUs" ? sign(published - 1) === sign(predicted - 1) : undefined;
}

function sign(gain: number): number {
  return Math.abs(gain) < NOTHING ? 0 : Math.sign(gain);
}

export interface Verdict {
  readonly medianError: number;
  readonly rows: number;
  readonly signsRight: number;
  readonly signs: number;
}

/** Errors are of the rates; a gain counts by its sign, and by its error where only it is published. */
export function verdictOf(rows: readonly Comparison[]): Verdict {
  const rates = rows.filter((row) => row.what === "× base, first row" || !hasRate(rows, row));
  const errors = rates.map((row) => Math.abs(errorOf(row))).sort((a, b) => a - b);
  const signs = rows.map(signRight).filter((right) => right !== undefined);
  return {
    medianError: medianOf(errors),
    rows: rates.length,
    signsRight: signs.filter((right) => right).length,
    signs: signs.length,
  };
}

function hasRate(rows: readonly Comparison[], { table, policy, cpus }: Comparison): boolean {
  return rows.some(
    (row) => row.what === "× base, first row" && row.table === table && row.policy === policy && row.cpus === cpus,
  );
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
