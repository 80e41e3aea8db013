/**
 * The two steps that conflict: what a reader of a failure wants to see first.
 *
 *   | A                    | B                          a frame freed under A:  B's last change of the frame's descriptor,
 *   | reads w      ← first |                                                    and A's access
 *   |                      | changes w        ← second  else:  A read a word that B changed before A's operation ended, and
 *   | acts on what it read |                                   A never looked again: the last such pair, of the words
 *                                                              that carry the protocol rather than locks and counters
 *
 * Where the rule itself knows the two (Failure.pair), those. For a rule that neither does, it is a guess, and shown as one.
 */
import type { Span } from "./columns.js";
import type { Step, Story } from "./story.js";

/** Places in the story, in the order in which they happened. */
export type Pair = readonly [number, number];

export function conflict(story: Story): Pair | undefined {
  const { failure } = story;
  if (failure?.pair) return failure.pair;
  if (!failure || failure.rule === "deadlock" || failure.rule === "livelock") return undefined;
  if (failure.rule === "freed") return freed(story);
  return overtaken(story, true) ?? overtaken(story, false);
}

/** Whether the two are known to conflict, rather than found by looking for what was overtaken. */
export function isCertain({ failure }: Story): boolean {
  return failure?.pair !== undefined || failure?.rule === "freed";
}

export function changes({ before, after }: Step): boolean {
  return before !== undefined && after !== undefined && before !== after;
}

function freed({ steps }: Story): Pair | undefined {
  const last = steps.length - 1;
  const { descriptor, lane } = steps[last];
  if (descriptor === undefined) return undefined;
  const near = (step: Step) => step.address >= descriptor && step.address < descriptor + 64;
  const by = (step: Step) => step.lane.cpuIndex !== lane.cpuIndex && near(step) && changes(step);
  const typed = steps.findLastIndex((step) => by(step) && step.name.endsWith(" type"));
  const found = typed >= 0 ? typed : steps.findLastIndex(by);
  return found < 0 ? undefined : [found, last];
}

/** A read, and the change that made it stale. `during`: while the reader's operation was under way. */
function overtaken({ steps, spans }: Story, during: boolean): Pair | undefined {
  let best: Pair | undefined;
  let bestWeight = 0;
  /** Of each word and CPU: its last access. */
  const last = new Map<number, Map<number, number>>();
  const lookedAgain = (i: number, from: number, upTo: number) => {
    const { address, lane } = steps[i];
    for (let k = from; k < upTo; k++) if (steps[k].address === address && steps[k].lane === lane) return true;
    return false;
  };
  for (const [j, step] of steps.entries()) {
    const weight = weightOf(step);
    if (weight === 0) continue;
    const accesses = last.get(step.address) ?? new Map<number, number>();
    last.set(step.address, accesses);
    if (changes(step) && weight >= bestWeight) {
      for (const [cpu, i] of accesses) {
        if (cpu === step.lane.cpuIndex) continue;
        const span = spanAt(spans, steps[i], i);
        const end = span?.end ?? steps.length;
        if (during && (end <= j || lookedAgain(i, j, end))) continue;
        best = [i, j];
        bestWeight = weight;
      }
    }
    accesses.set(step.lane.cpuIndex, j);
  }
  return best;
}

function spanAt(spans: readonly Span[], { lane }: Step, i: number): Span | undefined {
  return spans.find((span) => span.lane === lane && span.begin <= i && (span.end ?? Number.POSITIVE_INFINITY) > i);
}

/** Words that carry the protocol weigh more than those that only guard or count. */
export function weightOf({ name, entry }: Step): number {
  if (entry) return 3;
  if (/lock$|^(header|cpu|frames|blocks|rcu|\w+ slab) /i.test(name)) return 0;
  if (/^vma .* detached$|^space root$| dead$/.test(name)) return 2;
  return /^(vma|space|node|table|pmd|pgd|frame) /.test(name) ? 1 : 0;
}
