import { test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { Exhaustive } from "../src/check/exhaustive.js";
import { map, protect, read, unmap, write } from "../src/check/operations.js";
import { SCENARIOS } from "../src/check/scenarios.js";
import { Policy, Tables } from "../src/core/abi/mman.js";
import { shippedBuild } from "./support/check.js";

const A = 0x4000_0000,
  N = A + 16 * 4096;
const small = [
  { name: "w-w", about: "", before: [{ at: A, pages: 1, prot: 3 }], actors: [[write(A, 1)], [write(A + 1, 2)]] },
  {
    name: "w-unmap",
    about: "",
    before: [
      { at: A, pages: 1, prot: 3 },
      { at: N, pages: 1, prot: 3, state: "touched" as const },
    ],
    actors: [[write(A, 1)], [unmap(A, 1)]],
  },
  {
    name: "w-unmap-touched",
    about: "",
    before: [
      { at: A, pages: 1, prot: 3, state: "touched" as const },
      { at: N, pages: 1, prot: 3, state: "touched" as const },
    ],
    actors: [[write(A, 1)], [unmap(A, 1)]],
  },
  {
    name: "w-unmap-table",
    about: "",
    before: [{ at: A, pages: 1, prot: 3, state: "emptied" as const }],
    actors: [[write(A, 1)], [unmap(A, 1)]],
  },
  {
    name: "w-prot",
    about: "",
    before: [{ at: A, pages: 1, prot: 3, state: "touched" as const }],
    actors: [[write(A, 1)], [protect(A, 1, 1)]],
  },
  {
    name: "unmap-unmap",
    about: "",
    before: [{ at: A, pages: 4, prot: 3, state: "touched" as const }],
    actors: [[unmap(A, 2)], [unmap(A + 4096, 2)]],
  },
];
const build = shippedBuild();
test("x", { timeout: 600000 }, () => {
  const want = process.env.SC?.split(",");
  for (const s of [...small, ...SCENARIOS]) {
    if (want ? !want.includes(s.name) : !small.includes(s as never)) continue;
    const c = new Checker(build, s as never, Policy[(process.env.POL ?? "Optimistic") as "Spf"], Tables.Rcu);
    const lanes = c.scheduler.lanes.length;
    const ex = new Exhaustive(c.system);
    const t = performance.now();
    const seen = new Set<string>();
    const limit = Number(process.env.MS ?? 20000);
    let f;
    let n = 0;
    let done = true;
    do {
      f = c.run(ex);
      n++;
      if (f) {
        console.log(f.rule, f.text);
        console.log(f.columns);
        break;
      }
      if (performance.now() - t > limit) {
        done = false;
        break;
      }
    } while (ex.more());
    const ms = performance.now() - t;
    console.log(
      s.name,
      done ? "complete" : "cut",
      n,
      "blocked",
      ex.figures.blocked,
      "races",
      ex.figures.races,
      "deepest",
      ex.figures.deepest,
      "ms",
      ms.toFixed(0),
      "steps/s",
      (c.figures.events / ms / 1000).toFixed(2) + " M",
      "us/exec",
      ((1000 * ms) / n).toFixed(0),
      "switches",
      c.figures.switches,
      "nudges",
      c.figures.nudges,
    );
  }
});
