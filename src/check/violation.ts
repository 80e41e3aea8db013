/** A rule that an execution broke. Anything else that is thrown is a fault of the checker itself. */
export type Rule =
  | "bug"
  | "deadlock"
  | "depth"
  | "freed"
  | "leak"
  | "livelock"
  | "lock"
  | "order"
  | "race"
  | "record"
  | "rest"
  | "results"
  | "trap"
  | "width";

/** What each rule says, for people. */
export const RULES: Record<Rule, string> = {
  bug: "the core found its own invariant broken",
  deadlock: "nobody can go on",
  depth: "an operation ended inside a reader section or with interrupts off",
  freed: "an access to a frame that is free",
  leak: "frames or records are missing when all is unmapped",
  livelock: "no end within the bound of events",
  lock: "a lock is held when no operation is under way",
  order: "locks are waited for in an order that can close a circle",
  race: "two accesses that nothing orders, one of them plain",
  record: "an access to a record that is free",
  rest: "the structure is wrong when no operation is under way",
  results: "no one-at-a-time order gives these results",
  trap: "the core did what WebAssembly traps",
  width: "one word, atomically accessed in two widths",
};

export class Violation extends Error {
  constructor(
    readonly rule: Rule,
    text: string,
  ) {
    super(`${RULES[rule]}: ${text}`);
  }
}
