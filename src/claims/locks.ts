/** C4, C5, C6: what a miss under a table's lock costs, what reading before it saves, and interrupts off: by simulation. */
import { Pretouch } from "../core/abi/mman.js";
import { type Claim, change, nanoseconds, type PointAnswer, type PointAsk, perSecond } from "./claim.js";
import type { CoreName } from "./cores.js";

/** The machine of the mail's author, and its clock: 2.6 GHz. */
const MACHINE = "haswell-48";
const CYCLES_A_NS = 2.6;
/** From here on a cost is "thousands of cycles". */
const THOUSANDS = 2000;

function size(quick: boolean) {
  return { cpus: quick ? 24 : 48, seeds: quick ? 1 : 3, operations: 200 } as const;
}

function point(quick: boolean, workload: string, fault: string, core?: CoreName, tables = "rcu"): PointAsk {
  return { kind: "point", machine: MACHINE, workload, fault, tables, ...(core && { core }), ...size(quick) };
}

/** ns an operation that all threads together spent so. */
function each({ rate, spent }: PointAnswer, what: string, cpus: number): number {
  return ((spent[what] ?? 0) * cpus * 1e9) / rate;
}

function lockedNs(answer: PointAnswer, cpus: number): number {
  return each(answer, "missLocked", cpus);
}

function text(answer: PointAnswer, cpus: number): string {
  const [miss, wait] = [lockedNs(answer, cpus), each(answer, "lockWait", cpus)];
  return `${perSecond(answer.rate)}; a fault misses ${nanoseconds(miss)} under a lock, waits ${nanoseconds(wait)} for one; p99 ${nanoseconds(answer.faults.p99)}`;
}

const COLD = "pft_shared";
const WARM = "pft";
const LOCKS: readonly { name: string; fault: string; core?: CoreName }[] = [
  { name: "optimistic, which waits", fault: "optimistic" },
  { name: "spf with a waiting lock", fault: "spf", core: "spf-spins" },
  { name: "spf as posted, one try", fault: "spf" },
];

/** The second has a core of its own: what a minute has no time for. */
function locks(quick: boolean) {
  return LOCKS.filter(({ core }) => !quick || !core);
}

export const c4: Claim = {
  name: "C4",
  claim: "a cache miss under a spinlock costs thousands of cycles, and other CPUs slam into the lock meanwhile",
  by: "Wilcox; Lespinasse doubts that it applies",
  tested: `predict on ${MACHINE}: tables of one thread each (pft) and tables that all threads share (pft_shared), with a lock that waits and with the patchset's single try`,
  asks: (quick) =>
    locks(quick).flatMap(({ fault, core }) => [WARM, COLD].map((load) => point(quick, load, fault, core))),
  judge(answers, quick) {
    const { cpus } = size(quick);
    const rows = locks(quick).flatMap(({ name, fault, core }) =>
      [WARM, COLD].map((load) => ({ name, load, answer: answers.point(point(quick, load, fault, core)) })),
    );
    const cycles = (load: string) =>
      Math.max(
        ...rows
          .filter((row) => row.load === load && row.name !== LOCKS[2].name)
          .map(({ answer }) => CYCLES_A_NS * (lockedNs(answer, cpus) + each(answer, "lockWait", cpus))),
      );
    const miss = CYCLES_A_NS * Math.max(...rows.map(({ answer }) => lockedNs(answer, cpus)));
    const [apart, shared] = [cycles(WARM), cycles(COLD)];
    const figures = rows.map(({ name, load, answer }) => ({ what: `${load}, ${name}`, value: text(answer, cpus) }));
    const bound = `${cpus} CPUs of ${MACHINE} at ${CYCLES_A_NS} GHz; a transfer between sockets is the model's input, what queues behind it is not; miss and wait are means over all faults`;
    const [a, s] = [apart, shared].map((n) => `${n.toFixed(0)} cycles`);
    if (apart >= THOUSANDS)
      return { verdict: "holds", because: `${a} a fault even where no table is shared`, bound, figures };
    if (shared < THOUSANDS) {
      return {
        verdict: "does not hold",
        because: `miss and wait come to ${s} a fault where all share a table, ${a} where none does`,
        bound,
        figures,
      };
    }
    return {
      verdict: "depends",
      because: `on whether CPUs fault in the same 2 MiB, for one lock covers one table: miss and wait come to ${s} a fault where all do, of which the miss is ${miss.toFixed(0)}; to ${a} where none does, none of them for an entry or its lock`,
      bound,
      figures,
    };
  },
};

const BEFORE: readonly { name: string; pretouch: Pretouch }[] = [
  { name: "as it ships", pretouch: Pretouch.None },
  { name: "read A, take L, read A", pretouch: Pretouch.Read },
  { name: "A for ownership, take L", pretouch: Pretouch.Own },
];
/** A measure that removes this share of the misses avoids them. */
const AVOIDED = 0.5;

function touched(quick: boolean, pretouch: Pretouch): PointAsk {
  return { ...point(quick, COLD, "optimistic"), ...(pretouch !== Pretouch.None && { pretouch }) };
}

export const c5: Claim = {
  name: "C5",
  claim: "reading A before taking the lock avoids the miss under the lock",
  by: "Wilcox",
  tested: `predict on ${MACHINE}, tables shared by all threads, optimistic, --pretouch none, read and own: the entry touched once more right before the lock`,
  asks: (quick) => BEFORE.map(({ pretouch }) => touched(quick, pretouch)),
  judge(answers, quick) {
    const { cpus } = size(quick);
    const all = BEFORE.map(({ name, pretouch }) => ({ name, answer: answers.point(touched(quick, pretouch)) }));
    const [base, read, own] = all.map(({ answer }) => answer);
    const left = (answer: PointAnswer) => lockedNs(answer, cpus) / lockedNs(base, cpus);
    const saved = (answer: PointAnswer) => 1 - left(answer);
    const figures = all.map(({ name, answer }) => ({
      what: name,
      value: `${text(answer, cpus)}${answer === base ? "" : `; throughput ${change(answer.rate / base.rate)}`}`,
    }));
    const bound = `${cpus} CPUs of ${MACHINE}; the walk has read the entry once before in any case, before the page is cleared; A is the entry alone, not the lock's own line`;
    const [byRead, byOwn] = [read, own].map((answer) => change(left(answer)));
    const gain = `throughput ${change(read.rate / base.rate)} and ${change(own.rate / base.rate)}`;
    if (saved(read) >= AVOIDED) {
      return {
        verdict: "holds",
        because: `the miss under the lock ${byRead} with the read, ${byOwn} with ownership; ${gain}`,
        bound,
        figures,
      };
    }
    if (saved(own) >= AVOIDED) {
      return {
        verdict: "depends",
        because: `on how A is touched: the miss under the lock ${byRead} with a read, for the store still pays to own the line; ${byOwn} for ownership; ${gain}`,
        bound,
        figures,
      };
    }
    return {
      verdict: "does not hold",
      because: `the miss under the lock ${byRead} with the read, ${byOwn} with ownership: the line is taken back before the store, or the miss is another line's; ${gain}`,
      bound,
      figures,
    };
  },
};

const LOADS = ["pft", "writers", "tlb_flush2"] as const;
/** Below this a difference between two runs is noise. */
const NOISE = 0.05;

/** Whether flushes find mmapLock's waiters asleep is chance: it takes longer runs, and more of them, to compare two means. */
const FLUSHES = { operations: 250, seeds: 4 };

function off(quick: boolean, workload: string, tables: string): PointAsk {
  const long = !quick && workload === "tlb_flush2" ? FLUSHES : { operations: 60 };
  return { ...point(quick, workload, "spf", undefined, tables), ...long };
}

export const c6: Claim = {
  name: "C6",
  claim: "the difference is interrupts off (and a spinlock held?) against preemption off",
  by: "Wilcox",
  tested: `predict on ${MACHINE}, spf under irq and rcu: how often and how long interrupts are off, and the time from the sending of a flush to its answer`,
  asks: (quick) => LOADS.flatMap((load) => ["irq", "rcu"].map((tables) => off(quick, load, tables))),
  judge(answers, quick) {
    const rows = LOADS.map((load) => ({
      load,
      irq: answers.point(off(quick, load, "irq")),
      rcu: answers.point(off(quick, load, "rcu")),
    }));
    const figures = rows.flatMap(({ load, irq, rcu }) =>
      Object.entries({ irq, rcu }).map(([name, point]) => ({ what: `${load}, ${name}`, value: offText(point) })),
    );
    figures.push({
      what: "a spinlock held meanwhile?",
      value:
        "not by patch 13, which only walks; the next commit tries the table's lock once inside the section and keeps it beyond the section's end, interrupts on again",
    });
    const [{ irq, rcu }] = rows;
    const more = irq.irqOff.count / rcu.irqOff.count;
    const flushes = rows.filter((row) => row.irq.ipis.count > 0);
    const delays = flushes.map((row) => row.irq.ipis.p99 / row.rcu.ipis.p99);
    const delay = Math.max(...delays);
    const bound = `${size(quick).cpus} CPUs of ${MACHINE}; preemption is not modelled, so its side is not measured; here a TLB is filled by a walk with interrupts off under either, which hardware does in Linux: the fault's own walks are the difference`;
    if (more < 1 + NOISE) {
      return {
        verdict: "does not hold",
        because: "interrupts are off no more often under irq than under rcu",
        bound,
        figures,
      };
    }
    const often = `a fault has interrupts off ${more.toFixed(1)} times as often under irq, at most ${nanoseconds(irq.irqOff.max)} at a time, no lock waited for meanwhile`;
    return {
      verdict: "holds",
      because: `${often}; the slowest flushes (p99) take ${change(delay)}${delay < 1 + NOISE ? ", which is noise: handling and queueing are microseconds" : " more"}`,
      bound,
      figures,
    };
  },
};

function offText({ irqOff, ipis, rate }: PointAnswer): string {
  const off = `interrupts off ${irqOff.count} times, p50 ${nanoseconds(irqOff.p50)}, p99 ${nanoseconds(irqOff.p99)}, max ${nanoseconds(irqOff.max)}`;
  const flush = ipis.count === 0 ? "" : `; a flush answered p50 ${nanoseconds(ipis.p50)}, p99 ${nanoseconds(ipis.p99)}`;
  return `${perSecond(rate)}; ${off}${flush}`;
}
