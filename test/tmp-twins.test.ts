import { test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { scenario } from "../src/check/scenarios/index.js";
import { runStalls } from "../src/check/stall.js";
import { TWINS } from "../src/check/twins/index.js";
import { buildTwin } from "../tools/build-twin.mjs";
import { buildOf } from "./support/check.js";

const only = process.env.S;
const cap = Number(process.env.N ?? 6000);
test("twins", { timeout: 1200000 }, async () => {
  const cache = new Map();
  for (const t of TWINS) {
    if (only && !`${t.name} ${t.scenario}`.match(only)) continue;
    const t0 = performance.now();
    try {
      const key = JSON.stringify(t.patches);
      const b = cache.get(key) ?? buildOf(await buildTwin(t.patches));
      cache.set(key, b);
      const t1 = performance.now();
      const c = new Checker(b, scenario(t.scenario), t.policy, t.tables, t.layout);
      const f = process.env.STALL ? runStalls(c) : c.runSeeds(1, Math.min(t.seeds ?? 6000, cap));
      console.log(
        f ? (t.caughtBy.includes(f.rule) ? "ok  " : "RULE") : "SURVIVED",
        t.name,
        t.scenario,
        f?.seed ?? "",
        f?.rule ?? "",
        f?.text.slice(0, 120) ?? "",
        Math.round(t1 - t0),
        Math.round(performance.now() - t1),
      );
    } catch (e) {
      console.log("THROWN", t.name, t.scenario, String((e as Error).stack).slice(0, 400));
    }
  }
});
