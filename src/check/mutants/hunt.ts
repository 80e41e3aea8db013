/**
 * The hunt for one mutant: is this build wrong?
 *
 *   one call at a time   a model of pages, under every setting              milliseconds; finds what is wrong without a race
 *   random walks         every scenario, under the settings that lead into the mutated file; every third with interrupts at
 *                        polls only
 *   exhaustive           the small scenarios, a moment each, under the same settings
 *   random walks         under the other settings
 *
 * Ends       with the first rule that is broken, or when the time is used up. Which rule, where and by what is recorded.
 * Fault      anything thrown that is no Violation and no trap of the core is the checker's own, and is thrown on.
 */
import { Layout, Policy, Tables } from "../../core/abi/mman.js";
import { Checker } from "../checker.js";
import { explore } from "../explore.js";
import type { CoreBuild } from "../hooked.js";
import { Polls } from "../polls.js";
import { RandomWalk } from "../random.js";
import type { Failure, Scenario } from "../scenario.js";
import { SCENARIOS } from "../scenarios/index.js";
import { VARIANTS, type Variant } from "../twins/index.js";
import { Violation } from "../violation.js";
import { oneAtATime } from "./oneAtATime.js";

export interface Setting {
  policy: Policy;
  tables: Tables;
  layout: Layout;
}

export interface Kill {
  by: "boot" | "one at a time" | "random walk" | "exhaustive";
  rule: string;
  text: string;
  scenario?: string;
  setting: string;
  seed?: number;
}

const set = (policy: Policy, tables = Tables.Rcu, layout = Layout.Page): Setting => ({ policy, tables, layout });
const SPF = set(Policy.Spf);
const SPF_IRQ = set(Policy.Spf, Tables.Irq);
const RWSEM = set(Policy.VmaLock);
const REFCOUNT = set(Policy.VmaRefcount);
const OPTIMISTIC = set(Policy.Optimistic);
const MMAP_LOCK = set(Policy.MmapLock);
const IRQ = set(Policy.Optimistic, Tables.Irq);
const HALVES = set(Policy.Optimistic, Tables.Rcu, Layout.Halves);
const FRAGMENTS = set(Policy.Optimistic, Tables.Rcu, Layout.Fragments);
const IRQ_HALVES = set(Policy.Optimistic, Tables.Irq, Layout.Halves);
const SETTINGS = [OPTIMISTIC, MMAP_LOCK, SPF, REFCOUNT, RWSEM, IRQ, SPF_IRQ, HALVES, FRAGMENTS, IRQ_HALVES];

/** Which settings come first for a file, where those of most files do not lead into it. */
const LEADING: readonly [file: RegExp, settings: readonly Setting[]][] = [
  [/faultSpf/, [SPF, SPF_IRQ]],
  [/vmaLock|faultVmaLock/i, [REFCOUNT, RWSEM]],
  [/rwlock|mmapLock/, [MMAP_LOCK, OPTIMISTIC]],
  [/block|mm\/run/, [HALVES, FRAGMENTS, IRQ_HALVES]],
  [/mapping|mprotect|grow|mmap\.ts|vma\.ts/, [OPTIMISTIC, REFCOUNT]],
  [/section|walk|retire|gather|remote/, [OPTIMISTIC, IRQ]],
];
/** Files whose code is reached only in a variant of the core; its patches are put on the mutant. */
const VARIANT_OF: readonly [file: RegExp, variant: string][] = [
  [/rwlock|idle|mmapLock/, "mmap-lock-sleeps"],
  [/block|mm\/run/, "fragments-of-two"],
];

/** Under the first setting; fewer under the others. */
const MODEL_SEEDS = 40;
const OTHER_MODEL_SEEDS = 8;
/** Every scenario a little, before any of them much. */
const FIRST_SEEDS = 6;
const LEADING_SEEDS = 30;
const OTHER_SEEDS = 6;
/** Milliseconds of exhaustive exploration of one scenario. */
const EXHAUSTIVE = 100;

/** The variant that leads into a file, if there is one. */
export function variantFor(file: string): Variant | undefined {
  const [, name] = VARIANT_OF.find(([pattern]) => pattern.test(file)) ?? [];
  return VARIANTS.find((variant) => variant.name === name);
}

/** `began` is told what is about to run: a hunt that is then not heard of is stuck in the core. */
export function hunt(
  build: CoreBuild,
  file: string,
  milliseconds: number,
  began: (what: string) => void,
): Kill | undefined {
  const end = performance.now() + milliseconds;
  const leading = LEADING.find(([pattern]) => pattern.test(file))?.[1] ?? [OPTIMISTIC, MMAP_LOCK];
  const others = SETTINGS.filter((setting) => !leading.includes(setting));
  return (
    sequential(build, [...leading, ...others], began) ??
    walks(build, leading, FIRST_SEEDS, end, began) ??
    walks(build, leading, LEADING_SEEDS, end, began) ??
    exhaustive(build, leading, end, began) ??
    walks(build, others, OTHER_SEEDS, end, began)
  );
}

/** The walks alone, on a build whose variant leads into the mutated file. */
export function huntVariant(
  build: CoreBuild,
  { layout, policies }: Variant,
  milliseconds: number,
  began: (what: string) => void,
): Kill | undefined {
  const end = performance.now() + milliseconds;
  const settings = (policies ?? [Policy.MmapLock, Policy.Optimistic]).map((policy) => set(policy, Tables.Rcu, layout));
  return walks(build, settings, LEADING_SEEDS, end, began);
}

function sequential(build: CoreBuild, settings: readonly Setting[], began: (what: string) => void): Kill | undefined {
  for (const setting of settings) {
    began(`one at a time, ${nameOf(setting)}`);
    const seeds = setting === settings[0] ? MODEL_SEEDS : OTHER_MODEL_SEEDS;
    for (let seed = 1; seed <= seeds; seed++) {
      try {
        oneAtATime(build, setting.policy, setting.tables, setting.layout, seed);
      } catch (thrown) {
        return { by: "one at a time", ...brokenBy(thrown), setting: nameOf(setting), seed };
      }
    }
  }
  return undefined;
}

function walks(
  build: CoreBuild,
  settings: readonly Setting[],
  seeds: number,
  end: number,
  began: (what: string) => void,
): Kill | undefined {
  for (const setting of settings) {
    for (const scenario of SCENARIOS) {
      if (performance.now() > end) return undefined;
      began(`random walks, ${scenario.name}, ${nameOf(setting)}`);
      const checker = checkerOf(build, scenario, setting);
      if (!(checker instanceof Checker)) return checker;
      const failure = guarded(() => walk(checker, seeds));
      if (!failure) continue;
      const { rule, text, seed } = failure;
      return { by: "random walk", rule, text, seed, scenario: scenario.name, setting: nameOf(setting) };
    }
  }
  return undefined;
}

/** Every third seed with interrupts at polls only. */
function walk(checker: Checker, seeds: number): Failure | undefined {
  for (let seed = 1; seed <= seeds; seed++) {
    const failure = checker.run(seed % 3 === 0 ? new Polls(seed) : new RandomWalk(seed), seed);
    if (failure) return failure;
  }
  return undefined;
}

function exhaustive(
  build: CoreBuild,
  settings: readonly Setting[],
  end: number,
  began: (what: string) => void,
): Kill | undefined {
  for (const setting of settings) {
    for (const scenario of SCENARIOS.filter(({ tags }) => !tags.includes("large"))) {
      if (performance.now() > end) return undefined;
      began(`exhaustive, ${scenario.name}, ${nameOf(setting)}`);
      const failure = guarded(
        () => explore(build, scenario, { ...setting, strategy: "exhaustive", milliseconds: EXHAUSTIVE }).failure,
      );
      if (!failure) continue;
      const { rule, text } = failure;
      return { by: "exhaustive", rule, text, scenario: scenario.name, setting: nameOf(setting) };
    }
  }
  return undefined;
}

/** A stack that overflows is the core's recursion without end. */
function guarded(run: () => Failure | undefined): Pick<Failure, "rule" | "text" | "seed"> | undefined {
  try {
    return run();
  } catch (thrown) {
    if (thrown instanceof RangeError) return { rule: "trap", text: thrown.message, seed: 0 };
    throw thrown;
  }
}

/** A core that does not come as far as the scenario's beginning is found out there. */
function checkerOf(build: CoreBuild, scenario: Scenario, setting: Setting): Checker | Kill {
  try {
    return new Checker(build, scenario, setting.policy, setting.tables, setting.layout);
  } catch (thrown) {
    return { by: "boot", ...brokenBy(thrown), scenario: scenario.name, setting: nameOf(setting) };
  }
}

/** What was thrown while nothing was scheduled: set-up compares results too, and throws plain errors. */
function brokenBy(thrown: unknown): { rule: string; text: string } {
  if (thrown instanceof Violation) return { rule: thrown.rule, text: thrown.message };
  if (thrown instanceof WebAssembly.RuntimeError || thrown instanceof RangeError)
    return { rule: "trap", text: thrown.message };
  if (thrown instanceof Error && /^(boot:|mapping |touching )/.test(thrown.message)) {
    return { rule: "results", text: thrown.message };
  }
  throw thrown;
}

function nameOf({ policy, tables, layout }: Setting): string {
  return `${Policy[policy]} ${Tables[tables]} ${Layout[layout]}`.toLowerCase();
}
