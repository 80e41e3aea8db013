/** C7: what freeing page tables under RCU costs, architecture by architecture. */
import type { ConstantName } from "../predict/constants.js";
import type { LayoutName } from "../predict/machine.js";
import {
  type Claim,
  change,
  type Figure,
  nanoseconds,
  type PointAnswer,
  type PointAsk,
  perSecond,
  type RunAsk,
} from "./claim.js";

interface Preset {
  readonly arch: string;
  readonly machine: string;
  readonly layout: LayoutName;
}

const PRESETS: readonly Preset[] = [
  { arch: "x86", machine: "skylake-112", layout: "page" },
  { arch: "arm64", machine: "arm64-server", layout: "page" },
  { arch: "s390", machine: "s390", layout: "halves" },
  { arch: "powerpc", machine: "powerpc", layout: "fragments" },
];
/** A grace period of the kernel's RCU (common.json), and what it is swept between: kernel/rcu/tree.h. */
const PERIOD_S = 0.01;
const PERIODS_S = [0.004, 0.1];
/** A loss below this is none. */
const PAIN = 0.05;
/** Constants no source fixes, at both ends of their sweep. */
const SWEPT: readonly Partial<Record<ConstantName, number>>[] = [
  { ipiSend: 100, ipiTarget: 20, ipiSocket: 300, ipiRemote: 500, interrupt: 400, broadcast: 300 },
  { ipiSend: 500, ipiTarget: 200, ipiSocket: 1200, ipiRemote: 2000, interrupt: 1500, broadcast: 1200 },
];

function ask(quick: boolean, { machine, layout }: Preset, tables: string): PointAsk {
  const size = { cpus: quick ? 12 : 24, seeds: quick ? 1 : 2, operations: quick ? 40 : 60 };
  return { kind: "point", machine, workload: "writers", fault: "optimistic", tables, layout, ...size };
}

/** The same with tables of one page each: what sharing a page costs. */
function apart(quick: boolean, preset: Preset): PointAsk {
  return ask(quick, { ...preset, layout: "page" }, "rcu");
}

function swept(quick: boolean, preset: Preset): PointAsk[] {
  if (quick) return [];
  return SWEPT.flatMap((values) =>
    ["irq", "rcu"].map((tables) => ({ ...ask(quick, preset, tables), values, seeds: 1, cpus: 12 })),
  );
}

function storms(quick: boolean): RunAsk[] {
  if (quick) return [];
  return PRESETS.filter(({ arch }) => arch !== "arm64").flatMap(({ layout }) =>
    ["irq", "rcu"].map((tables): RunAsk => ({ kind: "run", tables, layout, rounds: 16 })),
  );
}

export const c7: Claim = {
  name: "C7",
  claim: "freeing page tables under RCU on all architectures is painful where tables share a struct page, but solvable",
  by: "Wilcox",
  tested:
    "predict: a mix that frees a table every four faults, under irq and rcu, on presets of four architectures; run: the storm with each layout of table blocks on real threads",
  asks: (quick) => [
    ...PRESETS.flatMap((preset) => [
      ask(quick, preset, "irq"),
      ask(quick, preset, "rcu"),
      ...(preset.layout === "page" ? [] : [apart(quick, preset)]),
      ...swept(quick, preset),
    ]),
    ...storms(quick),
  ],
  judge(answers, quick) {
    const rows = PRESETS.map((preset) => {
      const [irq, rcu] = ["irq", "rcu"].map((tables) => answers.point(ask(quick, preset, tables)));
      const alone = preset.layout === "page" ? rcu : answers.point(apart(quick, preset));
      const sweeps = swept(quick, preset).map((each) => answers.point(each));
      const ratios = sweeps.flatMap((point, i) => (i % 2 === 1 ? [point.rate / sweeps[i - 1].rate] : []));
      return { ...preset, irq, rcu, ratios: [rcu.rate / irq.rate, ...ratios], sharing: rcu.rate / alone.rate };
    });
    const figures: Figure[] = rows.map(({ arch, machine, layout, irq, rcu, ratios, sharing }) => ({
      what: `${arch} (${machine}, ${layout}, flushes by ${irq.flush})`,
      value: [
        `irq ${perSecond(irq.rate)}, rcu ${perSecond(rcu.rate)}: ${spread(ratios)}`,
        `munmap p50 ${nanoseconds(irq.unmaps.p50)} → ${nanoseconds(rcu.unmaps.p50)}, p99 ${nanoseconds(irq.unmaps.p99)} → ${nanoseconds(rcu.unmaps.p99)}`,
        ...(layout === "page" ? [] : [`against a page a table ${change(sharing)}`]),
        held(rcu, PERIOD_S),
      ].join("; "),
    }));
    figures.push(
      ...storms(quick).map((each) => {
        const { wallMs, tables, gracePeriods } = answers.run(each);
        return {
          what: `run, storm, ${each.layout}, ${each.tables}`,
          value: `${wallMs.toFixed(0)} ms; tables ${tables.allocated} allocated, ${tables.deferred} deferred; ${gracePeriods} grace periods`,
        };
      }),
    );
    const costly = rows.filter(({ ratios, sharing }) => Math.min(...ratios) < 1 - PAIN || sharing < 1 - PAIN);
    const dearer = rows.filter(({ ratios }) => Math.min(...ratios) > 1 + PAIN).map(({ arch }) => arch);
    const bound = `${ask(quick, PRESETS[0], "rcu").cpus} CPUs, a mix that frees far more tables than programs do; ${quick ? "constants as the machine files have them" : "IPI and broadcast costs at both ends of their sweep"}; memory held back is the simulated rate of deferred tables times a kernel's grace period (${PERIOD_S * 1e3} ms; ${PERIODS_S[0] * 1e3} to ${PERIODS_S[1] * 1e3} ms), for the core's own periods are shorter; s390 and powerpc constants are assumed`;
    const gains = dearer.length > 0 ? `; cheaper than the round of interrupts on ${dearer.join(", ")}` : "";
    if (costly.length === 0) {
      return {
        verdict: "holds",
        because: `solvable: no loss above ${100 * PAIN} % of throughput on any preset, shared pages included${gains}`,
        bound,
        figures,
      };
    }
    return {
      verdict: "depends",
      because: `on the architecture: a loss above ${100 * PAIN} % on ${costly.map(({ arch }) => arch).join(", ")}${gains}`,
      bound,
      figures,
    };
  },
};

function spread(ratios: readonly number[]): string {
  const [first] = ratios;
  if (ratios.length === 1) return change(first);
  return `${change(first)}, swept ${change(Math.min(...ratios))} to ${change(Math.max(...ratios))}`;
}

/** By the machine file's grace period, and by those that trees of CPUs and boot options make of it. */
function held({ footprint }: PointAnswer, periodS: number): string {
  const mib = (seconds: number) => `${(((footprint.heldBytes / periodS) * seconds) / 2 ** 20).toFixed(1)} MiB`;
  return `tables held back ${mib(periodS)} (${PERIODS_S.map(mib).join(" to ")})`;
}
