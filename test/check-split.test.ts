/**
 * An exhaustive search in tasks: the same executions as in one piece, none twice, wherever it is cut and in whatever order the
 * tasks are done.
 */
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { Coordinator } from "../src/check/coordinator.js";
import { Exhaustive } from "../src/check/exhaustive.js";
import { LockOrder } from "../src/check/oracle/order.js";
import { World, type WorldOptions } from "../src/check/reference/world.js";
import { scenario } from "../src/check/scenarios/index.js";
import type { Strategy, System } from "../src/check/strategy.js";
import { Subtree } from "../src/check/subtree.js";
import { type Answer, type Job, jobsOf, twinJobs } from "../src/cli/check/job.js";
import { Pool } from "../src/cli/check/pool.js";
import { Policy } from "../src/core/abi/mman.js";
import { Watch } from "../src/core/abi/watch.js";
import { shippedBuild } from "./support/check.js";
import { randomPrograms } from "./support/reference.js";
import { slowTest } from "./support/slow.js";

const FULL = process.env.FAULTLINE_FULL === "1";

/** Runs one execution; what tells it from others, or undefined if it was given up. */
type Execute<Key> = (search: Strategy & Pick<Exhaustive, "happens">) => Key | undefined;

interface Found<Key> {
  keys: Set<Key>;
  repeated: number;
  tasks: number;
}

function note<Key>(found: Found<Key>, key: Key | undefined): void {
  if (key === undefined) return;
  if (found.keys.has(key)) found.repeated++;
  found.keys.add(key);
}

function inOne<Key>(system: System, execute: Execute<Key>): Found<Key> {
  const search = new Exhaustive(system);
  const found: Found<Key> = { keys: new Set(), repeated: 0, tasks: 1 };
  do note(found, execute(search));
  while (search.more());
  return found;
}

/**
 * Each task is left after `most` executions. As on several workers, up to `workers` tasks are handed out before the first of
 * them is answered, and which answers first is drawn.
 */
function inTasks<Key>(system: System, execute: Execute<Key>, most: number, workers: number, seed: number): Found<Key> {
  const found: Found<Key> = { keys: new Set(), repeated: 0, tasks: 0 };
  const draw = drawing(seed);
  const coordinator = new Coordinator((waiting) => draw(waiting.length));
  const search = new Subtree(system);
  const out = [coordinator.start()];
  while (!coordinator.over) {
    while (out.length < workers && coordinator.waiting > 0) out.push(coordinator.next()!);
    const [task] = out.splice(draw(out.length), 1);
    found.tasks++;
    search.take(task);
    let executions = 0;
    do note(found, execute(search));
    while (++executions < most && search.more());
    coordinator.answered(task, search.leave());
  }
  return found;
}

function drawing(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

function expectSame<Key>(whole: Found<Key>, parts: Found<Key>): void {
  expect([...whole.keys].filter((key) => !parts.keys.has(key)).length, "not found").toBe(0);
  expect([...parts.keys].filter((key) => !whole.keys.has(key)).length, "not an execution").toBe(0);
  expect(parts.repeated, "repeated").toBe(0);
}

describe("random programs in tasks", () => {
  for (const most of [1, 3]) {
    for (const options of [{}, { silentStores: true, begins: true }] satisfies WorldOptions[]) {
      test(`of ${most} executions, ${JSON.stringify(options)}`, { timeout: FULL ? 600_000 : 60_000 }, () => {
        const property = fc.property(randomPrograms(3, 4, "everything"), fc.nat(), (program, seed) => {
          const world = new World(program, options);
          const execute: Execute<string> = (search) => (world.run(search) === "abandoned" ? undefined : world.form.key);
          const whole = inOne(world.system, execute);
          for (const workers of [1, 2, 5]) expectSame(whole, inTasks(world.system, execute, most, workers, seed));
        });
        fc.assert(property, FULL ? { numRuns: 5000 } : { numRuns: 100, seed: 1 });
      });
    }
  }
});

describe("scenarios in tasks of a few executions", () => {
  const cases = [
    ["fault-munmap-one", 5, 3],
    ["fault-mprotect-one", 1, 2],
    ["munmap-twice", 40, 2],
  ] as const;
  const long = [
    ["parent-stays", 3, 4],
    ["sleep-shootdown", 20, 3],
    ["fault-mprotect", 10, 2],
  ] as const;
  test.each([...cases, ...(FULL ? long : [])])(
    "%s, %i executions a task, %i workers",
    { timeout: 180_000 },
    (name, most, workers) => {
      const checker = new Checker(shippedBuild(), scenario(name), Policy.Optimistic);
      const execute: Execute<bigint> = (search) => {
        const failure = checker.run(search);
        expect(failure && `${failure.text}\n${failure.columns}`).toBeUndefined();
        return checker.scheduler.abandoned ? undefined : search.happens.fingerprint();
      };
      const whole = inOne(checker.system, execute);
      const parts = inTasks(checker.system, execute, most, workers, 7);
      expectSame(whole, parts);
      expect(parts.tasks).toBeGreaterThan(3);
    },
  );
});

test("a circle of locks of which each worker saw a part", () => {
  const [one, two] = [new LockOrder(), new LockOrder()];
  one.edge(Watch.RcuLock, Watch.OrphanLock, "here", "there");
  two.edge(Watch.OrphanLock, Watch.RcuLock, "there", "here");
  const all = new LockOrder();
  all.join(one.seen);
  all.join(one.seen);
  expect(all.edges).toEqual(one.edges);
  expect(() => all.join(two.seen)).toThrow("RCU lock");

  const inIrq = new LockOrder();
  inIrq.waitedInIrq(Watch.FrameLock, "an interrupt");
  const held = new LockOrder();
  held.heldIrqsOn(Watch.FrameLock, "actor 0");
  expect(() => held.join(inIrq.seen)).toThrow("an interrupt");
});

describe("on threads", () => {
  const setting = { fault: "optimistic", tables: "rcu", layout: "page" };
  const search = { strategy: "exhaustive" } as const;
  /** Not 0, so that it shows in the words that workers share. */
  const INDEX = 7;

  async function answered(job: Job, workers: number): Promise<{ answer: Answer; parts: number }> {
    const answers: Answer[] = [];
    const pool = new Pool([{ ...job, index: INDEX }], {
      worker: new URL("../build/dist/checkworker.js", import.meta.url),
      root: fileURLToPath(new URL("..", import.meta.url)),
      workers,
      stopsAtViolation: true,
      wholeMs: 0,
      answered: (_, answer) => answers.push(answer),
    });
    await pool.run();
    expect(answers.length).toBe(1);
    const slots = Array.from({ length: workers }, (_, slot) => pool.control.progressOf(slot).job);
    return { answer: answers[0], parts: slots.filter((job) => job === INDEX).length };
  }

  test("two workers run what one runs", { timeout: 180_000 }, async () => {
    const [job] = jobsOf(["fault-munmap-one"], [setting], search);
    const one = await answered(job, 1);
    const two = await answered(job, 2);
    expect([one.parts, two.parts]).toEqual([1, 2]);
    const ran = ({ answer: { verdict } }: typeof one) => verdict.executions - verdict.blocked;
    expect(ran(two)).toBe(ran(one));
    const { reach, claim } = one.answer.verdict;
    expect(two.answer.verdict).toMatchObject({ reach, claim });
    expect(reach).toBe("complete");
  });

  slowTest(
    "slow: a violation that only one of them meets ends the search, and is told",
    { timeout: 180_000 },
    async () => {
      const [job] = twinJobs(["commit-unchecked-in-fault-munmap-one"], undefined, search);
      const { answer, parts } = await answered(job, 2);
      expect(parts).toBe(2);
      expect(answer.verdict.failure?.rule).toBe("rest");
      expect(answer.verdict.reach).toBe("interrupted");
      expect(answer.told?.schedule).toContain("fault-munmap-one");
    },
  );

  test("no more time: what was begun claims nothing", { timeout: 180_000 }, async () => {
    const [job] = jobsOf(["three-mixed"], [setting], { ...search, milliseconds: 1000 });
    const { answer } = await answered(job, 2);
    expect(answer.verdict.reach).toBe("interrupted");
  });
});
