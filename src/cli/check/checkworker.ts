/**
 * cli/check/checkworker.ts: one worker of `faultline check`: takes a job, explores it, tells what failed, answers.
 *
 *   main ──Job──▶ worker ──Answer──▶ main
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
import { Builds } from "./builds.js";
import { Control, type WorkerInit } from "./control.js";
import type { Answer, Found, Job, Told } from "./job.js";
import { search } from "./portfolio.js";
import { scheduleName } from "./setting.js";

const { root, shared, slot } = workerData as WorkerInit;
const control = new Control(shared);
const builds = new Builds(root);

parentPort!.on("message", async (job: Job) => {
  try {
    parentPort!.postMessage({ answer: await answer(job) });
  } catch (error) {
    const usage = error instanceof BadSchedule;
    parentPort!.postMessage({ error: error instanceof Error ? error.message : String(error), usage });
  }
});

async function answer(job: Job): Promise<Answer> {
  const { subject, boot, patches, tell, replay } = job;
  const build = await builds.core(patches);
  const scenario = scenarioNamed(subject.scenario);
  const make: MakeChecker = (keep, told) => {
    return new Checker({ ...build, ...told }, shortened(scenario, keep), boot.policy, boot.tables, boot.layout);
  };
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
  const start: Schedule = { name: scheduleName(subject), build: build.hash, runs: verdict.failure.runs };
  if (make(undefined).run(new Replay(start.runs))?.rule !== verdict.failure.rule) {
    return { verdict, told: untold(verdict.failure, start) };
  }
  const operations = scenario.actors.map((actor) => actor.length);
  const short = smaller(make, start, operations);
  const stays = make(short.keep).run(new Replay(short.runs))?.rule === verdict.failure.rule;
  return { verdict, told: await tellIt(job, make, stays ? short : start) };
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
