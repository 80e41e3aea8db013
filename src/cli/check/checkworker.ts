/**
 * cli/check/checkworker.ts: one worker of `faultline check`: takes a job, explores it, tells what failed, answers.
 *
 *   main ──Job──▶ worker ──Answer──▶ main          a whole job
 *        ──PartRequest──▶  ──Part──▶               a task of one that several workers share (part.ts)
 *        shared words: who must stop, how far this worker is (pool.ts)
 */
import { parentPort, workerData } from "node:worker_threads";
import { Checker } from "../../check/checker.js";
import { chromeTrace } from "../../check/chrome.js";
import { explain, type MakeChecker, smaller } from "../../check/explain.js";
import type { Progress } from "../../check/explore.js";
import { Replay } from "../../check/replay.js";
import type { Failure } from "../../check/scenario.js";
import { scenario as scenarioNamed } from "../../check/scenarios/index.js";
import { BadSchedule, encode, mustBeOf, type Schedule, shortened } from "../../check/schedule.js";
import { Builds, type NamedBuild } from "./builds.js";
import { Control, type WorkerInit } from "./control.js";
import type { Answer, Found, Job, Told } from "./job.js";
import { type Part, PartExplorer, type PartRequest } from "./part.js";
import { search } from "./portfolio.js";
import { scheduleName } from "./setting.js";

const { root, shared, slot } = workerData as WorkerInit;
const control = new Control(shared);
const builds = new Builds(root);

let explorer: PartExplorer | undefined;

parentPort!.on("message", async (asked: Job | PartRequest) => {
  try {
    parentPort!.postMessage("task" in asked ? { part: await explorePart(asked) } : { answer: await answer(asked) });
  } catch (error) {
    const usage = error instanceof BadSchedule;
    parentPort!.postMessage({ error: error instanceof Error ? error.message : String(error), usage });
  }
});

async function explorePart(request: PartRequest): Promise<Part> {
  const { job } = request;
  const build = await builds.core(job.patches);
  if (explorer?.job !== job.index) explorer = new PartExplorer(build, job);
  const part = explorer.run(request, control, slot);
  if (!part.failure || !job.tell || control.mustStop(job.index)) return part;
  return { ...part, told: await toldOf(job, makerOf(job, build), build, part.failure) };
}

function makerOf({ subject, boot }: Job, build: NamedBuild): MakeChecker {
  const scenario = scenarioNamed(subject.scenario);
  return (keep, told) => {
    const checked = shortened(scenario, keep);
    const checker = new Checker(
      { ...build, ...told },
      checked,
      boot.policy,
      boot.tables,
      boot.layout,
      undefined,
      boot.pretouch,
    );
    checker.scheduler.irqIsReader = boot.irqIsReader ?? true;
    return checker;
  };
}

async function answer(job: Job): Promise<Answer> {
  const { subject, boot, patches, tell, replay } = job;
  const build = await builds.core(patches);
  const scenario = scenarioNamed(subject.scenario);
  const make = makerOf(job, build);
  if (replay) {
    mustBeOf(replay, build.hash);
    const checker = make(replay.keep);
    const failure = checker.run(new Replay(replay.runs));
    const told = await tellIt(job, make, replay);
    return { verdict: replayVerdict(job, checker, failure), told };
  }
  const goOn = (soFar: Progress) => {
    control.progress(slot, job.index, soFar);
    return !control.mustStop(job.index);
  };
  const verdict = search(build, scenario, boot, job.search, goOn);
  if (!verdict.failure || !tell || control.mustStop(job.index)) return { verdict };
  return { verdict, told: await toldOf(job, make, build, verdict.failure) };
}

/** The failure, made smaller, for people. */
async function toldOf(job: Job, make: MakeChecker, build: NamedBuild, failure: Failure): Promise<Told> {
  const start: Schedule = { name: scheduleName(job.subject), build: build.hash, runs: failure.runs };
  if (make(undefined).run(new Replay(start.runs))?.rule !== failure.rule) return untold(failure, start);
  const operations = scenarioNamed(job.subject.scenario).actors.map((actor) => actor.length);
  const short = smaller(make, start, operations);
  const stays = make(short.keep).run(new Replay(short.runs))?.rule === failure.rule;
  return tellIt(job, make, stays ? short : start);
}

/** A circle of locks that took several executions to see: none of them shows it alone. */
function untold({ text, columns }: Failure, schedule: Schedule): Told {
  return { text: `${text}\nseen over several executions; the last of them:\n\n${columns}`, schedule: encode(schedule) };
}

async function tellIt({ patches, subject }: Job, make: MakeChecker, schedule: Schedule): Promise<Told> {
  const { text, encoded } = explain(make, schedule, builds.layout(), await builds.told(patches));
  const checker = make(schedule.keep);
  const violation = checker.run(new Replay(schedule.runs))?.text;
  const { scheduler, spans, machine } = checker;
  const title = scheduleName(subject);
  const { trace, lanes } = scheduler;
  const drawn = chromeTrace({ title, trace, lanes, spans, sites: machine.sites, violation });
  return { text, schedule: encoded, trace: JSON.stringify(drawn) };
}

function replayVerdict({ subject }: Job, checker: Checker, failure: Failure | undefined): Found {
  const { events, switches } = checker.figures;
  const figures = { executions: 1, events, switches, blocked: 0, ms: 0 };
  const verdict: Found = { scenario: subject.scenario, reach: "sampled", claim: "one schedule", ...figures };
  return failure ? { ...verdict, failure } : verdict;
}
