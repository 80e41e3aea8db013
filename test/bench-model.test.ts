/** The model that `bench check` gives to two checkers: ours explores all of it, and spin finds as many ends. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { exploreModel, type Size, spinlock } from "../src/bench/model.js";
import { RandomWalk } from "../src/check/random.js";
import { everyTrace } from "../src/check/reference/brute.js";
import { End, World } from "../src/check/reference/world.js";

const TINY: Size = { lockers: 2, rounds: 1, reads: 1, tableBits: 10 };
const answers = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;

test("ours runs no fewer executions than there are orders of dependent accesses", () => {
  const { traces } = everyTrace(spinlock(TINY));
  expect([...traces.values()].every((end) => end === End.Complete)).toBe(true);
  expect(exploreModel(TINY, () => false)!.executions).toBeGreaterThanOrEqual(traces.size);
  expect(traces.size).toBeGreaterThan(10);
});

test("no increment is lost under the lock", () => {
  const world = new World(spinlock({ ...TINY, lockers: 3, rounds: 2 }));
  for (let seed = 0; seed < 50; seed++) {
    expect(world.run(new RandomWalk(seed))).toBe(End.Complete);
    expect([...world.words]).toEqual([0, 6]);
  }
});

test.skipIf(!answers("spin", "-V") || !answers("gcc", "--version"))(
  "spin finishes its form of it without an error",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "faultline-model-"));
    try {
      cpSync(fileURLToPath(new URL("../src/bench/models", import.meta.url)), folder, { recursive: true });
      const make =
        "spin -a -DLOCKERS=2 -DROUNDS=1 -DREADS=1 spinlock.pml && gcc -O0 -DSAFETY -o pan pan.c && ./pan -w10";
      const { status, stdout } = spawnSync("sh", ["-c", make], { cwd: folder, encoding: "utf8" });
      expect([status, /errors: (\d+)/.exec(stdout)?.[1]]).toEqual([0, "0"]);
      expect(stdout).not.toContain("max search depth too small");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
