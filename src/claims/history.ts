/** C9, C10: judgement and history, with the figures that bear on them. */
import { TWINS } from "../check/twins/index.js";
import { type Answers, type CheckAsk, type Claim, change, type Figure, type PointAsk, perSecond } from "./claim.js";

/** One-line mistakes in how tables are kept and freed, of each variant some; the first ones are what a minute has time for. */
const QUICK = ["table-freed-at-once", "remote-walks-with-irq-off", "remote-unlocked"];
const FULL = [
  ...QUICK,
  "round-skipped",
  "checked-outside-its-section",
  "walk-interruptible",
  "half-reused-at-once",
  "block-freed-at-once",
  "laggards-overlooked",
  "period-unfinished",
  "slot-read-outside",
];

interface Variant {
  readonly twin: string;
  readonly under: string;
  readonly ask: CheckAsk;
}

function variants(quick: boolean): Variant[] {
  const chosen = quick ? QUICK : FULL;
  return TWINS.filter(({ name }) => chosen.includes(name)).map(({ name, scenario, tables, layout }) => ({
    twin: name,
    under: tables ? "irq" : layout ? "rcu, several tables a block" : "rcu",
    ask: {
      kind: "check",
      scenario,
      fault: "",
      tables: "",
      twin: name,
      strategy: "bounded",
      bound: 2,
      milliseconds: quick ? 3000 : 5000,
    },
  }));
}

export const c9: Claim = {
  name: "C9",
  claim: "changing how tables are reclaimed hastily adds risk: it belongs outside the patchset; or before it",
  by: "Lespinasse; Wilcox",
  tested:
    "no experiment settles it; check: how many one-line mistakes in each way of keeping tables are found, and how soon",
  asks: (quick) => variants(quick).map(({ ask }) => ask),
  judge(answers, quick) {
    const all = variants(quick).map((variant) => ({ ...variant, answer: answers.check(variant.ask) }));
    const groups = [...new Set(all.map(({ under }) => under))];
    const figures: Figure[] = groups.map((group) => {
      const mine = all.filter(({ under }) => under === group);
      const found = mine.filter(({ answer }) => answer.verdict.failure);
      const most = Math.max(0, ...found.map(({ answer }) => answer.verdict.executions));
      return {
        what: `mistakes under ${group}`,
        value: `${found.length} of ${mine.length} found, within ${most} executions${missed(mine, found)}`,
      };
    });
    const found = all.filter(({ answer }) => answer.verdict.failure).length;
    return {
      verdict: "judgement",
      because: `risk there is: a line is enough in each variant; ${found} of ${all.length} such mistakes are found by exploring. Where the change belongs is for people: the kernel made it afterwards, in 2023 and 2025`,
      bound: "mistakes that somebody thought of; those nobody thought of are docs/mutants.md's",
      figures,
    };
  },
};

function missed(all: readonly Variant[], found: readonly Variant[]): string {
  const left = all.filter((variant) => !found.includes(variant)).map(({ twin }) => twin);
  return left.length > 0 ? `; not found: ${left.join(", ")}` : "";
}

const MACHINE = "skylake-112";
/** From here on the lock is what holds remote readers up. */
const GAIN = 1.1;

function counts(quick: boolean): readonly number[] {
  return quick ? [2, 56] : [2, 8, 16, 32, 56];
}

function readers(quick: boolean, tables: string, cpus: number): PointAsk {
  const size = { seeds: quick ? 1 : 2, operations: 160 };
  return { kind: "point", machine: MACHINE, workload: "remote_readers", fault: "optimistic", tables, cpus, ...size };
}

export const c10: Claim = {
  name: "C10",
  claim: "the justification for RCU-freed tables will be remote access without the lock",
  by: "Lespinasse",
  tested: `history (docs/argument.md); predict on ${MACHINE}: remote readers beside faults, with mmapLock (irq) and without (rcu)`,
  asks: (quick) => counts(quick).flatMap((cpus) => ["irq", "rcu"].map((tables) => readers(quick, tables, cpus))),
  judge(answers, quick) {
    const rows = counts(quick).map((cpus) => ({ cpus, gain: gainAt(answers, quick, cpus) }));
    const figures: Figure[] = rows.map(({ cpus, gain: [locked, free] }) => ({
      what: `${cpus} CPUs, half of them remote readers`,
      value: `with the lock ${perSecond(locked)}, without ${perSecond(free)}: ${change(free / locked)}`,
    }));
    figures.push({
      what: "history",
      value:
        "2023: tables freed under RCU for collapsing huge pages without the lock; 2025: on x86, to flush without IPIs; June 2026: remote reads without the lock, compiled only with RCU-freed tables, under review",
    });
    const most = Math.max(...rows.map(({ gain: [locked, free] }) => free / locked));
    const bound = `the model's ${MACHINE}, ${counts(quick).at(-1)} CPUs at most, tables and lock both changed with the protection; history as read in spf.md, part 5`;
    if (most < GAIN) {
      return {
        verdict: "does not hold",
        because: `the lock costs remote readers no more than ${change(most)}; and two other reasons came first`,
        bound,
        figures,
      };
    }
    return {
      verdict: "depends",
      because: `on which justification: remote readers gain up to ${change(most)} and the patches of 2026 need RCU-freed tables; but collapsing huge pages (2023) and flushing without IPIs (2025) came first`,
      bound,
      figures,
    };
  },
};

function gainAt(answers: Answers, quick: boolean, cpus: number): [number, number] {
  return [answers.point(readers(quick, "irq", cpus)).rate, answers.point(readers(quick, "rcu", cpus)).rate];
}
