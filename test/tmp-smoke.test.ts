import { test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { SCENARIOS } from "../src/check/scenarios/index.js";
import { Layout, Policy, Tables } from "../src/core/abi/mman.js";
import { shippedBuild } from "./support/check.js";

const build = shippedBuild();
const N = Number(process.env.N ?? 100);
const only = process.env.S;
test("smoke", { timeout: 600000 }, () => {
  for (const s of SCENARIOS) {
    if (only && !s.name.match(only)) continue;
    const t = performance.now();
    let bad = "";
    for (const [p, tb, l] of [
      [1, 0, 0],
      [1, 1, 0],
      [0, 0, 0],
      [2, 0, 0],
      [2, 1, 0],
      [3, 0, 0],
      [4, 1, 0],
      [1, 0, 1],
      [1, 0, 2],
    ] as [Policy, Tables, Layout][]) {
      try {
        const c = new Checker(build, s, p, tb, l);
        const f = c.runSeeds(1, N);
        if (f) bad += `\n${Policy[p]} ${Tables[tb]} ${Layout[l]} seed ${f.seed} ${f.text}\n${only ? f.columns : ""}`;
      } catch (e) {
        bad += `\n${Policy[p]} ${Tables[tb]} ${Layout[l]}: THROWN ${(e as Error).stack}`;
      }
      if (bad && only) break;
    }
    console.log(s.name, Math.round(performance.now() - t), "ms", bad);
  }
});
