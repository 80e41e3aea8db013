/**
 * Who called: the chain of places of each step, from a second build of the same source.
 *
 * Problem    the core is optimised: a step's own place is that of the innermost helper inlined there (`lock`, `descriptor`),
 *            and nothing says any more from where it was called.
 * Idea       the told build (tools/build-twin.mjs) is not optimised and announces its calls. The same schedule, run on it,
 *            does the same steps; each lane's calls are known at each.
 * Algorithm  stores, atomic accesses, marks and edges must be the same in both, one for one and in order: they lead. Plain
 *            loads are looser: the optimiser merges and moves them. One that only the told build does goes by; one that
 *            is wanted takes the place of a load of the same word by the same lane, before or after.
 * Divides    where the steps differ, the told run ends, and what follows keeps its innermost place.
 */
import { Step as StepKind } from "../core/abi/step.js";
import type { Checker } from "./checker.js";
import { isMark, type Site } from "./event.js";
import type { Lane } from "./lane.js";
import type { Place, Step, Story } from "./story.js";
import type { Strategy } from "./strategy.js";

/** A call as the told build numbers it: where it stands, and what is called. */
export interface CallSite {
  function: string;
  target: string;
  file: string;
  line: number;
}

/** How many steps of the story got their callers. Their `places` are replaced. */
export function nameCallers(story: Story, told: Checker, calls: readonly CallSite[]): number {
  const { steps } = story;
  story.helpers = helpers(told.machine.sites, calls);
  const teller = new Teller(steps, told, calls);
  try {
    told.run(teller);
  } catch (thrown) {
    if (!(thrown instanceof Divided)) throw thrown;
  }
  return teller.place();
}

/** Functions of a line or two that are called from everywhere: their caller's place says more than their own. */
function helpers(sites: readonly Site[], calls: readonly CallSite[]): ReadonlySet<string> {
  const size = new Map<string, number>();
  const callers = new Map<string, number>();
  const add = (map: Map<string, number>, name: string) => map.set(name, (map.get(name) ?? 0) + 1);
  for (const site of sites) add(size, site.function);
  for (const call of calls) {
    add(size, call.function);
    add(callers, call.target);
  }
  const isHelper = (name: string, callersOf: number) => {
    const steps = size.get(name) ?? 0;
    return steps <= 1 || (steps <= 2 && callersOf >= 2) || (steps <= 4 && callersOf >= 6);
  };
  return new Set([...callers].filter(([name, n]) => isHelper(name, n)).map(([name]) => name));
}

/** The end of the told run: all is told, or the steps are not the same. */
class Divided extends Error {}

interface Load {
  address: number;
  width: number;
  places: readonly Place[];
}

class Teller implements Strategy {
  readonly claim = "one schedule";
  readonly #steps: readonly Step[];
  readonly #told: Checker;
  readonly #calls: readonly CallSite[];
  readonly #found: (readonly Place[] | undefined)[] = [];
  /** Loads of each lane that went by since its last leading step, and steps that still want theirs. */
  readonly #passed: Load[][] = [];
  readonly #wanting: number[][] = [];
  #at = 0;

  constructor(steps: readonly Step[], told: Checker, calls: readonly CallSite[]) {
    this.#steps = steps;
    this.#told = told;
    this.#calls = calls;
  }

  begin(lanes: readonly Lane[]): void {
    for (const { id } of lanes) {
      this.#passed[id] = [];
      this.#wanting[id] = [];
    }
  }

  choose(enabled: readonly Lane[]): Lane {
    while (this.#at < this.#steps.length) {
      const step = this.#steps[this.#at];
      const lane = enabled.find(({ id }) => id === step.lane.id);
      if (!lane) throw new Divided();
      const { event } = lane;
      const same = event.kind === step.kind && event.address === step.address && event.width === step.width;
      if (same) {
        this.#found[this.#at++] = this.#placesOf(lane);
        if (event.kind !== StepKind.Load) this.#passed[lane.id] = [];
        return lane;
      }
      if (step.kind === StepKind.Load) this.#want(step);
      else if (event.kind === StepKind.Load) {
        this.#pass(lane);
        return lane;
      } else throw new Divided();
    }
    throw new Divided();
  }

  /** Writes what was found into the steps. */
  place(): number {
    let placed = 0;
    for (const [i, places] of this.#found.entries()) {
      if (!places || places.length === 0) continue;
      this.#steps[i].places = places;
      placed++;
    }
    return placed;
  }

  #want({ lane, address, width }: Step): void {
    const load = this.#passed[lane.id].find((other) => other.address === address && other.width === width);
    if (load) this.#found[this.#at] = load.places;
    else this.#wanting[lane.id].push(this.#at);
    this.#at++;
  }

  #pass(lane: Lane): void {
    const { address, width } = lane.event;
    const places = this.#placesOf(lane);
    const wanting = this.#wanting[lane.id];
    const k = wanting.findIndex((i) => this.#steps[i].address === address && this.#steps[i].width === width);
    if (k >= 0) this.#found[wanting.splice(k, 1)[0]] = places;
    else this.#passed[lane.id].push({ address, width, places });
  }

  #placesOf({ id, event }: Lane): Place[] {
    const { machine } = this.#told;
    const site = isMark(event.kind) ? undefined : machine.sites[event.site];
    const inner = site?.file ? [{ file: site.file, line: site.line!, function: site.function }] : [];
    const outer = (machine.callers[id] ?? []).map((number) => this.#calls[number]);
    return [
      ...inner,
      ...outer.reverse().map((call) => ({ file: call.file, line: call.line, function: call.function })),
    ];
  }
}
