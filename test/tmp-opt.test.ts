import { test } from "vitest";
import { countWith, missing } from "../src/check/reference/count.js";
import { everyTrace } from "../src/check/reference/brute.js";
import { Optimal } from "../src/check/optimal.js";
import * as A from "../src/check/reference/actor.js";
test("x", () => {
  const p: any = { name: "p", words: 2, actors: [
    function* () { yield A.load(0); },
    function* () { yield A.loadPair(0); yield A.storePair(0, 0); },
    function* () { yield A.storePair(0, 0); yield A.fetchAdd(1, 0); } ] };
  let o: Optimal;
  const found = countWith((w) => (o = new Optimal(w.system)), p);
  console.log(JSON.stringify({ ...found, traces: found.traces.size }), "blocked", o!.figures.blocked, "truth", everyTrace(p).traces.size);
  console.log(missing(found, everyTrace(p)).join("\n"));
});
