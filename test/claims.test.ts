/** `faultline claims`: verdicts come from the answers; a broken core, or another constant, and they are other ones. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { inFile } from "../src/check/twins/twin.js";
import type { Rule } from "../src/check/violation.js";
import {
  type Answers,
  type Ask,
  type CheckAsk,
  type Claim,
  keyOf,
  type PointAnswer,
  type PointAsk,
  Unanswered,
} from "../src/claims/claim.js";
import { CLAIMS } from "../src/claims/index.js";
import { Session, type Settings } from "../src/cli/claims/session.js";
import { Pretouch } from "../src/core/abi/mman.js";
import { type Ended, ended, ROOT, said, start } from "./support/command.js";
import { slowTest } from "./support/slow.js";

const folder = mkdtempSync(join(tmpdir(), "faultline-claims-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const claim = (name: string): Claim => CLAIMS.find((each) => each.name === name)!;

/** `until`: interrupted once it has said that. */
function run(args: readonly string[], until?: RegExp): Promise<Ended> {
  const child = start(ROOT, "claims", ...args);
  if (until) said(child, until).then(() => child.kill("SIGINT"));
  return ended(child);
}

describe("the claims", () => {
  test("are ten, and ask for no more than they look at", () => {
    expect(CLAIMS.map(({ name }) => name)).toEqual(Array.from({ length: 10 }, (_, i) => `C${i + 1}`));
    for (const each of CLAIMS) {
      for (const quick of [true, false]) {
        const asked = new Set(each.asks(quick).map(keyOf));
        const looked = new Set<string>();
        each.judge(
          made((ask) => looked.add(keyOf(ask))),
          quick,
        );
        expect([each.name, [...looked].sort()]).toEqual([each.name, [...asked].sort()]);
      }
    }
  });

  test("are not judged when an answer is missing", () => {
    const nothing = () => {
      throw new Unanswered("nothing");
    };
    const answers: Answers = { check: nothing, point: nothing, lines: nothing, run: nothing };
    for (const each of CLAIMS) expect(() => each.judge(answers, true)).toThrow(Unanswered);
  });
});

/** What a search found, by what was asked. */
type Finds = (ask: CheckAsk) => Rule | undefined;

const POINT: PointAnswer = {
  rate: 1e6,
  error: 0,
  spent: { missLocked: 0.01, lockWait: 0.01 },
  ...Object.fromEntries(
    ["faults", "unmaps", "ipis", "irqOff"].map((name) => [name, { count: 100, p50: 1, p99: 2, max: 3 }]),
  ),
  footprint: { linesTouched: 1, linesWritten: 1, deferredMost: 1, tablesPerSecond: 1, heldBytes: 1 },
} as unknown as PointAnswer;

/** Made-up answers: what a judge makes of them is what is tested. */
function made(
  asked: (ask: Ask) => void,
  finds: Finds = () => undefined,
  point: (ask: PointAsk) => Partial<PointAnswer> = () => ({}),
): Answers {
  return {
    check(ask) {
      asked(ask);
      const rule = finds(ask);
      const figures = { executions: 5, events: 9, switches: 1, blocked: 0, ms: 1 };
      const failure = rule && { seed: 0, rule, text: "made up", hash: "", runs: [], columns: "" };
      const verdict = { scenario: ask.scenario, reach: "bounded" as const, claim: "made up", ...figures };
      return { verdict: failure ? { ...verdict, failure } : verdict };
    },
    point(ask) {
      asked(ask);
      return { ...POINT, ...point(ask) };
    },
    lines(ask) {
      asked(ask);
      return { touched: { entries: 3 }, written: { entries: 1 }, own: 2 };
    },
    run(ask) {
      asked(ask);
      return { wallMs: 1, faults: 1, tables: { allocated: 1, freed: 1, deferred: 1 }, gracePeriods: 1 };
    },
  };
}

const verdict = (name: string, finds?: Finds, point?: (ask: PointAsk) => Partial<PointAnswer>) =>
  claim(name).judge(
    made(() => {}, finds, point),
    true,
  ).verdict;

describe("verdicts follow the answers", () => {
  const unprotected: Finds = ({ tables }) => (tables === "none+now" ? "freed" : undefined);
  const pairs: Finds = ({ tables }) => (["rcu+ipi", "rcu+now", "none+now"].includes(tables) ? "freed" : undefined);

  test("C1: a use after free is what it claims", () => {
    expect(verdict("C1", unprotected)).toBe("holds");
    expect(verdict("C1")).toBe("does not hold");
    expect(verdict("C1", (ask) => (ask.fault === "spf" ? unprotected(ask) : undefined))).toBe("depends");
  });

  test("C2: on the pair; a violation where nothing is mixed is the end of it", () => {
    expect(verdict("C2", pairs)).toBe("depends");
    expect(verdict("C2", ({ tables }) => (tables === "none+now" ? "freed" : undefined))).toBe("holds");
    expect(verdict("C2", (ask) => (ask.tables === "rcu+rcu" ? "freed" : pairs(ask)))).toBe("does not hold");
    expect(verdict("C2", (ask) => (ask.tables === "rcu" ? "results" : pairs(ask)))).toBe("does not hold");
  });

  test("C8: a counterexample to interrupts off, none to RCU", () => {
    const twins: Finds = ({ twin }) => (twin ? "freed" : undefined);
    expect(verdict("C8", twins)).toBe("holds");
    expect(verdict("C8")).toBe("does not hold");
    expect(verdict("C8", (ask) => (ask.tables === "rcu" ? "freed" : twins(ask)))).toBe("does not hold");
  });

  test("C4: on whether tables are shared", () => {
    const waits = (share: number, apart: number) => (ask: PointAsk) => ({
      spent: { missLocked: 0, lockWait: ask.workload === "pft_shared" ? share : apart },
    });
    expect(verdict("C4", undefined, waits(0.5, 0))).toBe("depends");
    expect(verdict("C4", undefined, waits(0.5, 0.5))).toBe("holds");
    expect(verdict("C4", undefined, waits(0, 0))).toBe("does not hold");
  });

  test("C5: a read, ownership, or neither", () => {
    const misses = (read: number, own: number) => (ask: PointAsk) => ({
      spent: {
        missLocked: ask.pretouch === Pretouch.Read ? read : ask.pretouch === Pretouch.Own ? own : 0.2,
        lockWait: 0,
      },
    });
    expect(verdict("C5", undefined, misses(0.02, 0.02))).toBe("holds");
    expect(verdict("C5", undefined, misses(0.2, 0.02))).toBe("depends");
    expect(verdict("C5", undefined, misses(0.2, 0.2))).toBe("does not hold");
  });

  test("C7: a loss somewhere, or none", () => {
    const lossOn = (machine: string) => (ask: PointAsk) => ({
      rate: ask.machine === machine && ask.tables === "rcu" ? 5e5 : 1e6,
    });
    expect(verdict("C7")).toBe("holds");
    expect(verdict("C7", undefined, lossOn("s390"))).toBe("depends");
  });

  test("C9 is left to people whatever is found", () => {
    expect(verdict("C9")).toBe("judgement");
    expect(verdict("C9", () => "freed")).toBe("judgement");
  });
});

describe("what is asked is what decides", () => {
  const settings = (more: Partial<Settings>): Settings => ({
    root: ROOT,
    dist: new URL("../build/dist/", import.meta.url),
    workers: 2,
    milliseconds: 240_000,
    fresh: true,
    progress: () => {},
    ...more,
  });
  const judged = async (name: string, more: Partial<Settings> = {}) => {
    const session = new Session(settings(more));
    await session.ask(claim(name).asks(true));
    return claim(name).judge(session, true);
  };

  slowTest(
    "slow: C3: a walker that writes a line of its protection's turns the verdict",
    { timeout: 600_000 },
    async () => {
      expect((await judged("C3")).verdict).toBe("holds");
      const patches = inFile("mm/section.ts", [
        "if (tablesIrq()) irqOff(cpu);",
        "if (tablesIrq()) { atomic.add<u32>(<usize>0x1f00, 1); irqOff(cpu); }",
      ]);
      expect((await judged("C3", { patches })).verdict).toBe("does not hold");
    },
  );

  slowTest(
    "slow: C10: on a machine whose caches cost nothing the lock costs remote readers nothing",
    {
      timeout: 600_000,
    },
    async () => {
      expect((await judged("C10")).verdict).toBe("depends");
      const values = { sibling: 0, complex: 0, socket: 0, remote: 0, retain: 0, serve: 0 };
      expect((await judged("C10", { values })).verdict).toBe("does not hold");
    },
  );
});

describe("the command", () => {
  test("an unknown claim is one line, and the nearest", async () => {
    const { status, out, err } = await run(["C11"]);
    expect([status, out]).toEqual([2, ""]);
    expect(err).toMatch(/^faultline: there is no claim "C11"; the nearest: C1, /);
    expect(err.trimEnd()).not.toContain("\n");
  });

  test("prints claim, figures, verdict, bound and command; then keeps its answers", { timeout: 600_000 }, async () => {
    const file = join(folder, "claims.json");
    const { status, out } = await run(["c10", "--quick", "--fresh", "--json", file]);
    expect(status).toBe(0);
    expect(out).not.toContain("\u001b");
    expect(out).toMatch(/^C10 {2}the justification .*\n {4}tested .*\n/);
    expect(out).toContain("\n    repeat   ./faultline claims C10 --quick --fresh\n");
    const { claims, quick } = JSON.parse(readFileSync(file, "utf8"));
    expect(quick).toBe(true);
    expect(claims).toMatchObject([{ name: "C10", verdict: "depends", asked: 4, answered: 4, kept: 0 }]);
    const again = await run(["C10", "--quick"]);
    expect(again.out).toContain("kept     all answers are an earlier run's on this build");
  });

  test("interrupted, it says what is not finished", { timeout: 180_000 }, async () => {
    const { status, out } = await run(["C9", "--fresh"], /^claims: /m);
    expect(status).toBe(130);
    expect(out).toMatch(/verdict {2}not finished: \d+ of \d+ questions answered/);
  });
});
