/**
 * The lines of memory that one actor's operations touch and write: what a LinesAsk asks.
 *
 * How       random walks of the scenario; the execution in which the actor touched fewest lines is the answer: nobody was in its
 *           way. An interrupt that comes to its CPU is not its doing. A page that is cleared counts as one piece.
 * Own       lines of the CPU's own area, which others look at only where they say so: counted apart.
 */
import { Checker } from "../check/checker.js";
import { isMark, mayWrite } from "../check/event.js";
import type { CoreBuild } from "../check/hooked.js";
import { type CoreLayout, Names } from "../check/names.js";
import { scenario } from "../check/scenarios/index.js";
import { POLICIES, PROTECTIONS } from "../predict/run.js";
import type { LinesAnswer, LinesAsk } from "./claim.js";

export const OTHERS = "another CPU's line";
const LINE = 64;
const PAGE = 4096;
const SEEDS = 40;

export function measureLines(build: CoreBuild, layout: CoreLayout, ask: LinesAsk): LinesAnswer {
  const checker = new Checker(build, scenario(ask.scenario), POLICIES[ask.fault], PROTECTIONS[ask.tables]);
  const names = new Names(checker.machine, layout);
  const all: LinesAnswer[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const failure = checker.runSeed(seed);
    if (failure) throw new Error(`${ask.scenario}: ${failure.text}`);
    all.push(linesOf(checker, names, ask.actor));
  }
  return all.sort((a, b) => count(a) - count(b))[0];
}

function linesOf({ scheduler }: Checker, names: Names, actor: number): LinesAnswer {
  const { trace, lanes } = scheduler;
  const touched = new Set<number>();
  const written = new Set<number>();
  for (let i = 0; i < trace.length; i++) {
    const { kind, address, width } = trace.eventAt(i);
    if (trace.laneAt(i) !== actor || isMark(kind) || address < PAGE) continue;
    const end = width >= PAGE ? address + 1 : address + width;
    for (let at = address - (address % LINE); at < end; at += LINE) {
      touched.add(at);
      if (mayWrite(kind)) written.add(at);
    }
  }
  const cpu = `cpu ${lanes[actor].cpuIndex} `;
  const answer = { touched: {}, written: {}, own: 0 };
  for (const line of touched) {
    const { text } = names.of(line);
    if (text.startsWith(cpu)) answer.own++;
    else {
      add(answer.touched, kindOf(text));
      if (written.has(line)) add(answer.written, kindOf(text));
    }
  }
  return answer;
}

/** What a name of check/names.ts stands for. */
function kindOf(name: string): string {
  if (name.startsWith("cpu ")) return OTHERS;
  if (/^(pte|pmd|pgd|entry) [0-9a-f]+$/.test(name)) return "entries";
  if (/^((pmd|pgd) )?table /.test(name)) return "table's descriptor";
  if (/ byte /.test(name)) return "page";
  if (/^(free )?frame /.test(name)) return "frame's descriptor";
  const [noun] = name.split(" ");
  return noun === "new" ? name.split(" ")[1] : noun;
}

function add(all: Record<string, number>, name: string): void {
  all[name] = (all[name] ?? 0) + 1;
}

function count({ touched, own }: LinesAnswer): number {
  return own + Object.values(touched).reduce((n, each) => n + each, 0);
}
