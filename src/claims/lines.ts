/** C3: which cache lines, under one protection and the other. */
import type { Claim, LinesAnswer, LinesAsk } from "./claim.js";
import { OTHERS } from "./measure.js";

const POLICIES = ["spf", "optimistic"] as const;

function walk(fault: string, tables: string): LinesAsk {
  return { kind: "lines", scenario: "faults-apart", fault, tables, actor: 0 };
}

function free(fault: string, tables: string): LinesAsk {
  return { kind: "lines", scenario: "walk-munmap-table", fault, tables, actor: 1 };
}

export const c3: Claim = {
  name: "C3",
  claim: "the structures, and so the cache lines, are the same in either case",
  by: "Lespinasse; Wilcox agrees",
  tested: "the lines that a fault touches and writes in the core that ships, the CPU's own apart; then the freer's",
  asks: () =>
    POLICIES.flatMap((fault) => ["irq", "rcu"].flatMap((tables) => [walk(fault, tables), free(fault, tables)])),
  judge(answers) {
    const figures = POLICIES.flatMap((fault) =>
      ["irq", "rcu"].flatMap((tables) => [
        { what: `${fault}, a fault, ${tables}`, value: text(answers.lines(walk(fault, tables))) },
        {
          what: `${fault}, an unmapping that frees a table, ${tables}`,
          value: text(answers.lines(free(fault, tables))),
        },
      ]),
    );
    const differs = (ask: (fault: string, tables: string) => LinesAsk) =>
      POLICIES.filter((fault) => !same(answers.lines(ask(fault, "irq")), answers.lines(ask(fault, "rcu"))));
    const walkers = differs(walk);
    const freers = differs(free);
    const others = (tables: string) => answers.lines(free("optimistic", tables)).written[OTHERS] ?? 0;
    const bound =
      "one write fault on a table that is there, one munmap that empties a table, of the executions drawn the one with fewest lines; this core, not Linux's structures";
    if (walkers.length > 0) {
      return { verdict: "does not hold", because: `the faults of ${walkers.join(", ")} differ`, bound, figures };
    }
    if (freers.length === 0) {
      return { verdict: "holds", because: "walker and freer touch and write the same lines", bound, figures };
    }
    return {
      verdict: "holds",
      because: `of the walker, whom the mail means; who frees a table writes ${others("irq")} lines of other CPUs under irq, ${others("rcu")} under rcu`,
      bound,
      figures,
    };
  },
};

function same(a: LinesAnswer, b: LinesAnswer): boolean {
  return text(a) === text(b);
}

function text({ touched, written }: LinesAnswer): string {
  return `touched ${sum(touched)}, written ${sum(written)}: ${parts(touched, written)}`;
}

function parts(touched: Readonly<Record<string, number>>, written: Readonly<Record<string, number>>): string {
  const named = Object.keys(touched).sort();
  return named
    .map((name) => `${name} ${touched[name]}${written[name] ? ` (${written[name]} written)` : ""}`)
    .join(", ");
}

function sum(all: Readonly<Record<string, number>>): number {
  return Object.values(all).reduce((n, each) => n + each, 0);
}
