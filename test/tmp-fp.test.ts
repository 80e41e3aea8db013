import { test } from "vitest";
import { Checker } from "../src/check/checker.js";
import { Exhaustive } from "../src/check/exhaustive.js";
import { HappensBefore } from "../src/check/happens.js";
import { RandomWalk } from "../src/check/random.js";
import { Policy, Tables } from "../src/core/abi/mman.js";
import { write, unmap, read, protect, map, dontNeed, settle, leave } from "../src/check/operations.js";
import { scenario } from "../src/check/scenarios/index.js";
import { shippedBuild } from "./support/check.js";
const A = 0x4000_0000, N = A + 16*4096;
const small: any[] = [
 { name: "w-w", about: "", before: [{at:A,pages:1,prot:3}], actors: [[write(A,1)],[write(A+1,2)]] },
 { name: "w-unmap", about: "", before: [{ at: A, pages: 1, prot: 3 },{ at: N, pages: 1, prot: 3, state: "touched" as const }], actors: [[write(A,1)],[unmap(A,1)]] },
 { name: "w-unmap-table", about: "", before: [{ at: A, pages: 1, prot: 3, state: "emptied" as const  }], actors: [[write(A,1)],[unmap(A,1)]] },
 { name: "w-unmap-table-settle", about: "", before: [{ at: A, pages: 1, prot: 3, state: "emptied" as const  }], actors: [[write(A,1)],[unmap(A,1),settle()]] },
 { name: "unmap-unmap", about: "", before: [{ at: A, pages: 4, prot: 3, state: "touched" as const }], actors: [[unmap(A,2)],[unmap(A+4096,2)]] },
 { name: "r-prot", about: "", before: [{ at: A, pages: 1, prot: 3, state: "framed" as const }], actors: [[write(A,1), read(A)],[protect(A,1,1)]] },
 { name: "unmap-leave", about: "", before: [{ at: A, pages: 1, prot: 3, state: "touched" as const }], actors: [[unmap(A,1)],[read(A), leave()]] },
 scenario("walk-munmap-table"), scenario("fault-fault"), scenario("fault-mprotect"), scenario("leave"),
];
const build = shippedBuild();
class Watched extends RandomWalk {
  h: HappensBefore;
  constructor(seed: number, h: HappensBefore) { super(seed); this.h = h; }
  begin(...a: []) { super.begin(...a); this.h.cut(0); }
  performed(lane: any, event: any, wrote: boolean, before: number, alone: boolean) { this.h.add(lane, event, wrote, before, alone, () => {}); }
}
test("x", { timeout: 600000 }, () => {
  const want = process.env.SC?.split(",");
  for (const s of small) {
    if (want && !want.includes(s.name)) continue;
    for (const pol of (process.env.POL ?? "Optimistic").split(",")) {
    const c = new Checker(build, s as never, Policy[pol as "Spf"], Tables[(process.env.TAB ?? "Rcu") as "Irq"]);
    const lanes = c.scheduler.lanes.length;
    const bytes = c.machine.memory.buffer.byteLength;
    const ex = new Exhaustive(c.system);
    const seen = new Set<bigint>(); const all: Set<string>[] = []; let n = 0, dup = 0, done = true; const t = performance.now();
    do { const f = c.run(ex); if (f) { console.log(f.rule, f.text); console.log(f.columns); done = false; break; } if (!c.scheduler.abandoned) { n++; const fp = ex.happens.fingerprint(); if (seen.has(fp)) dup++; seen.add(fp); if (process.env.SHOW && all.length < 8000) all.push(new Set(idents(ex.happens))); } if (performance.now() - t > 20000) { done = false; break; } } while (ex.more());
    const h = new HappensBefore(bytes, lanes);
    let missing = 0; const rnd = new Set<bigint>(); let firstMiss = -1;
    const N2 = Number(process.env.SEEDS ?? 4000);
    if (done) for (let seed = 1; seed <= N2; seed++) { const f = c.run(new Watched(seed, h)); if (f) { console.log("random", f.text); break; } const fp = h.fingerprint(); rnd.add(fp); if (!seen.has(fp)) { missing++; if (firstMiss < 0) firstMiss = seed; } }
    console.log(s.name, pol, done ? "complete" : "cut", n, "distinct", seen.size, "dup", dup, "blocked", ex.figures.blocked, "| random distinct", rnd.size, "missing", missing, "first seed", firstMiss);
    if (firstMiss >= 0 && process.env.SHOW) { c.run(new Watched(firstMiss, h)); show(h, c);
      const ids = idents(h); let left = all; let i = 0; for (; i < ids.length; i++) { const l2 = left.filter((x) => x.has(ids[i])); if (l2.length === 0) break; left = l2; }
      console.log("lost at event", i, ids[i], "of", ids.length, "left", left.length, "next variants", [...new Set(left.flatMap((x) => [...x].filter((y) => y.startsWith(ids[i].split(" ")[0] + " "))))].slice(0, 8).join("\n   "));  
    }
    }
  }
});

function idents(h: HappensBefore): string[] { const r: string[] = []; for (let i = 0; i < h.length; i++) r.push(h.laneOf[i] + "#" + h.ownIndex(i) + " k" + h.kind[i] + " " + h.address[i].toString(16) + " s" + h.site[i] + " w" + h.wrote[i] + " c" + [...h.clock.subarray(i*8, i*8+6)].join(",")); return r; }
function show(h: HappensBefore, c: Checker) {
  // runs of lanes, with non-local events
  let out = "";
  for (let i = 0; i < h.length; i++) {
    const q = h.laneOf[i];
    if (i === 0 || h.laneOf[i-1] !== q) out += "\n" + c.scheduler.lanes[q].name + ": ";
    const k = h.kind[i];
    const st = k < 32 ? c.machine.sites[h.site[i]].function.split("/").pop() + " " + c.machine.sites[h.site[i]].instruction + " " + h.address[i].toString(16) + (h.wrote[i] ? "=" : "") : "M" + k + " " + h.address[i].toString(16);
    // cross edges: clock jumps
    const prev = h.placeOf(q, h.ownIndex(i) - 1);
    let cross = "";
    for (let r = 0; r < 4; r++) if (r !== q && h.clock[i*8+r] > (prev >= 0 ? h.clock[prev*8+r] : 0)) cross += " <" + r + ":" + h.clock[i*8+r];
    if (cross || k >= 32 && k !== 34 && k!==35 || i === h.length-1 || h.laneOf[i+1] !== q || (i>0 && h.laneOf[i-1] !== q)) out += "\n   " + i + " #" + h.ownIndex(i) + " " + st + cross;
  }
  console.log(out);
}
