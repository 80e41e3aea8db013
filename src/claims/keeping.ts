/** C1, C2: what keeps a page table from its walker's feet, by exploring interleavings. */
import {
  type Answers,
  type CheckAnswer,
  type CheckAsk,
  type Claim,
  type Figure,
  type PointAsk,
  Unanswered,
} from "./claim.js";

const FREED = ["freed", "race", "record"];
const POLICIES = ["spf", "optimistic"] as const;

/** To its end: who finds nothing has looked at all that so few preemptions lead to. */
function bounded(scenario: string, fault: string, tables: string, bound: number): CheckAsk {
  return { kind: "check", scenario, fault, tables, strategy: "bounded", bound };
}

/** Whether a table was used after it was freed. */
export function usedAfterFree({ verdict }: CheckAnswer): boolean {
  return verdict.failure !== undefined && FREED.includes(verdict.failure.rule);
}

export function said({ verdict }: CheckAnswer): string {
  const { failure, reach, claim, executions } = verdict;
  if (failure) return `${failure.text}, in execution ${executions}`;
  return `nothing in ${executions} executions; ${reach}: ${claim}`;
}

/** The least that all of them reach. */
export function reachOf(answers: readonly CheckAnswer[]): string {
  const reaches = answers.map(({ verdict }) => verdict.reach);
  if (reaches.every((reach) => reach === "complete")) return "every execution of the scenarios";
  const bounds = answers.filter(({ verdict }) => verdict.reach !== "complete").map(({ verdict }) => verdict.claim);
  return [...new Set(bounds)].join("; ");
}

const UNKEPT = ["walk-munmap-table", "walk-grace-period"];

function unkept(quick: boolean): CheckAsk[] {
  const asks = POLICIES.flatMap((fault) => UNKEPT.map((scenario) => bounded(scenario, fault, "none+now", 1)));
  return asks.map((ask, i) => (!quick && i === 0 ? { ...ask, tell: true } : ask));
}

export const c1: Claim = {
  name: "C1",
  claim: "mapping and locking a page table races with its being freed",
  by: "both",
  tested:
    "check: nothing keeps a table, and it is freed at its unlinking (--tables none); a use after free is looked for",
  asks: unkept,
  judge(answers, quick) {
    const all = unkept(quick).map((ask) => ({ ask, answer: conclusive(answers.check(ask)) }));
    const found = all.filter(({ answer }) => usedAfterFree(answer));
    const schedule = found[0]?.answer.schedule;
    const figures = all.map(({ ask, answer }) => ({ what: `${ask.scenario}, ${ask.fault}`, value: said(answer) }));
    if (schedule) figures.push({ what: "shown by", value: `./faultline check --replay ${schedule}` });
    if (found.length === all.length) {
      return {
        verdict: "holds",
        because: "a walker reads a table that another CPU has freed, in every scenario that looks for it",
        bound: "an existence: one schedule is enough, and each can be replayed",
        figures,
      };
    }
    return {
      verdict: found.length > 0 ? "depends" : "does not hold",
      because: `a freed table was used in ${found.length} of ${all.length} searches`,
      bound: reachOf(all.map(({ answer }) => answer)),
      figures,
    };
  },
};

const PAIRS = ["irq+ipi", "irq+rcu", "irq+now", "rcu+ipi", "rcu+rcu", "rcu+now", "none+ipi", "none+rcu", "none+now"];
/** What the mail says is safe, its freer unsaid: each walker with the freer made for it. */
const MATCHED = ["irq+ipi", "rcu+rcu"];

/** A grace period that ends under a walker takes two: into the freer, and to the interrupt that makes its CPU quiescent. */
function preemptions(tables: string): number {
  return tables.endsWith("+rcu") ? 2 : 1;
}

function pairs(): CheckAsk[] {
  return POLICIES.flatMap((fault) =>
    PAIRS.map((tables) => bounded("walk-grace-period", fault, tables, preemptions(tables))),
  );
}

/** Interrupts off before Linux 4.20. */
function beforeFlavours(): CheckAsk {
  return { ...bounded("walk-grace-period", "spf", "irq+rcu", preemptions("irq+rcu")), irqIsReader: false };
}

/** How long an open search goes on: it claims what it has finished by then. */
const FREE_MS = 12_000;
const SHIPPED = ["walk-munmap-table", "fault-munmap-one", "write-grace-period"];

/** The core that ships. */
function shipped(): CheckAsk[] {
  return POLICIES.flatMap((fault) =>
    ["irq", "rcu"].flatMap((tables) => SHIPPED.map((scenario) => bounded(scenario, fault, tables, 1))),
  );
}

/** The same as far as the time allows, to every execution where it does. */
function freely({ bound: _bound, strategy: _strategy, ...ask }: CheckAsk): CheckAsk {
  return { ...ask, milliseconds: FREE_MS };
}

/** Something was found, or the search finished what it claims: a search that was cut short says nothing of an absence. */
function conclusive(answer: CheckAnswer): CheckAnswer {
  const { failure, reach, scenario, claim } = answer.verdict;
  if (!failure && reach === "interrupted") throw new Unanswered(`${scenario}: ${claim}`);
  return answer;
}

export const c2: Claim = {
  name: "C2",
  claim: "interrupts off prevent that race; so does the RCU read lock",
  by: "Lespinasse",
  tested:
    "check: two-actor faults on spf and optimistic under irq and rcu; then all nine pairs of what the walker holds and how tables are freed",
  asks: (quick) => [...shipped(), ...pairs(), beforeFlavours(), ...(quick ? [] : shipped().map(freely))],
  judge(answers, quick) {
    const few = shipped().map((ask) => conclusive(answers.check(ask)));
    const more = quick ? [] : shipped().map((ask) => answers.check(freely(ask)));
    const ships = [...few, ...more];
    const whole = more.filter(({ verdict }) => verdict.reach === "complete");
    const broken = ships.filter(({ verdict }) => verdict.failure);
    const mixed = pairs().map((ask) => ({ ask, answer: conclusive(answers.check(ask)) }));
    const unsafe = (tables: string, fault: string) =>
      mixed.some(({ ask, answer }) => ask.tables === tables && ask.fault === fault && usedAfterFree(answer));
    const old = answers.check(beforeFlavours());
    const figures: Figure[] = [
      { what: `the core that ships, irq and rcu, ${few.length} searches`, value: `${broken.length} violations` },
      ...(quick ? [] : [{ what: "of these, every execution was run of", value: `${whole.length}` }]),
      ...POLICIES.map((fault) => ({ what: `unsafe pairs, walker+freer, ${fault}`, value: list(PAIRS, unsafe, fault) })),
      {
        what: "irq+rcu where interrupts off are no reader (before 4.20), spf",
        value: said(old),
      },
    ];
    const matched = MATCHED.filter((tables) => POLICIES.some((fault) => unsafe(tables, fault)));
    const bound = `${reachOf(few.filter(({ verdict }) => !verdict.failure))}; pairs: at most 1 preemption, 2 where a grace period must end`;
    if (broken.length > 0 || matched.length > 0) {
      const what = matched.length > 0 ? matched.join(", ") : broken[0].verdict.scenario;
      return { verdict: "does not hold", because: `a freed table, or worse, in ${what}`, bound, figures };
    }
    const mixedUnsafe = unsafe("rcu+ipi", "spf");
    if (!mixedUnsafe) {
      return {
        verdict: "holds",
        because: "no pair of walker and freer failed but those that hold nothing",
        bound,
        figures,
      };
    }
    return {
      verdict: "depends",
      because:
        "on how tables are freed: each holds with the freer made for it; the RCU read lock protects nothing from a freer that waits for IPIs",
      bound,
      figures,
    };
  },
};

function list(pairs: readonly string[], unsafe: (tables: string, fault: string) => boolean, fault: string): string {
  const named = pairs.filter((pair) => unsafe(pair, fault));
  return named.length > 0 ? named.join(", ") : "none";
}

const REMOTE = ["remote-munmap", "remote-write-munmap", "remote-dontneed"];

function remote(quick: boolean): { tables: string; ask: CheckAsk }[] {
  return ["rcu", "irq"].flatMap((tables) =>
    REMOTE.map((scenario) => ({
      tables,
      ask: bounded(scenario, "optimistic", tables, quick ? 1 : 3),
    })),
  );
}

function twin(name: string, scenario: string, tables: string): CheckAsk {
  return { ...bounded(scenario, "optimistic", tables, 1), twin: name };
}

/** Interrupts off in the place of mmapLock; and the leaf's lock left out. */
const TRUSTS_IRQ = twin("remote-walks-with-irq-off", "remote-munmap", "irq");
const TRUSTS_RCU = twin("remote-unlocked", "remote-munmap", "rcu");

const COSTS = { kind: "point", machine: "skylake-112", fault: "optimistic" } as const;

function costs() {
  const size = { cpus: 32, seeds: 2, operations: 160 } as const;
  return {
    locked: { ...COSTS, ...size, workload: "remote_readers", tables: "irq" },
    free: { ...COSTS, ...size, workload: "remote_readers", tables: "rcu" },
    joined: { ...COSTS, ...size, workload: "remote_joined", tables: "irq", core: "remote-irq" },
  } as const;
}

export const c8: Claim = {
  name: "C8",
  claim: "interrupts off do not protect an access to a remote space, whose IPIs go to its own CPUs; RCU does",
  by: "Lespinasse",
  tested:
    "check: remote copies against munmap and MADV_DONTNEED, lock-free under each; predict: the third answer, to join the cpumask",
  asks: (quick) => [...remote(quick).map(({ ask }) => ask), TRUSTS_IRQ, TRUSTS_RCU, ...thirds(quick)],
  judge(answers, quick) {
    const irq = conclusive(answers.check(TRUSTS_IRQ));
    const unlocked = conclusive(answers.check(TRUSTS_RCU));
    const all = remote(quick).map(({ tables, ask }) => ({ tables, ask, answer: conclusive(answers.check(ask)) }));
    const rcu = all.filter(({ tables }) => tables === "rcu");
    const clean = rcu.every(({ answer }) => !answer.verdict.failure);
    const figures: Figure[] = [
      { what: "lock-free under irq, interrupts off", value: said(irq) },
      ...rcu.map(({ ask, answer }) => ({ what: `lock-free under rcu, ${ask.scenario}`, value: said(answer) })),
      { what: "under rcu without the leaf's lock", value: said(unlocked) },
      ...third(answers, quick),
    ];
    const bound = `rcu: ${reachOf(rcu.map(({ answer }) => answer))}`;
    if (!usedAfterFree(irq)) {
      return { verdict: "does not hold", because: "no counterexample was found to interrupts off", bound, figures };
    }
    if (!clean) return { verdict: "does not hold", because: "a remote copy fails under RCU, too", bound, figures };
    return {
      verdict: "holds",
      because: unlocked.verdict.failure
        ? "of the tables; the data frame is kept by neither: it needs the table's lock, as here, or a pin"
        : "of the tables, and of the frame",
      bound,
      figures,
    };
  },
};

/** A core of its own: what a minute has no time for. */
function thirds(quick: boolean): PointAsk[] {
  return quick ? [] : Object.values(costs());
}

/** Joining the cpumask makes interrupts off do: at the price of two atomics on the mask, and of every flush. */
function third(answers: Answers, quick: boolean): Figure[] {
  if (quick) return [];
  const { locked, free, joined } = costs();
  const [a, b, c] = [answers.point(locked), answers.point(free), answers.point(joined)];
  const ratio = (rate: number) => `${(rate / b.rate).toFixed(2)} of lock-free under rcu`;
  return [
    {
      what: `third answer: join the cpumask for each read, ${joined.cpus} CPUs of ${joined.machine}`,
      value: ratio(c.rate),
    },
    { what: "under mmapLock", value: ratio(a.rate) },
  ];
}
