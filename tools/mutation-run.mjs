/**
 * The mutation run: how many of the small ways to be wrong does the checker find? `npm run mutants`
 *
 *   tools/mutants.mjs ──sample──▶ queue ──▶ processes (tools/mutation-worker.mjs) ──▶ tables, survivors, --json
 *
 * Usage      npm run mutants -- [--size N] [--seed N] [--all] [--only N,N…] [--file PART] [--jobs N] [--seconds N]
 *                               [--json FILE] [--list]
 * Share      killed ÷ (killed + survived). Left out: what is not built, and what the compiler makes the same code of.
 * No end     a process that is not heard of for QUIET seconds is in a loop of the mutant's, outside the scheduler: it is ended,
 *            and the mutant counts as killed. It says what it is about to do, so building is given longer.
 * Order      of results does not depend on which process took a mutant, but time limits do depend on the machine: a survivor
 *            of a slow machine may be killed on a fast one.
 */
import { fork } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build as bundle } from "esbuild";
import { allMutants, sample } from "./mutants.mjs";
import { buildBatches, FOLDER, NONE } from "./mutation-build.mjs";
import { ROOT } from "./paths.mjs";

const SIZE = 240;
const SECONDS = 12;
/** Seconds without a word. A whole scenario is some hundred milliseconds. */
const QUIET = 30;
const QUIET_BUILDING = 120;
/** Mutants for one process: the compiler keeps memory. */
const TERM = 80;

/** Runs mutants and returns them with their outcomes. `told` is called with each. */
export async function runMutants(mutants, { jobs = 2, seconds = SECONDS, told = () => {}, said = () => {} } = {}) {
  const huntFile = await bundleHunt();
  const { variantFor } = await import(pathToFileURL(huntFile).href);
  const places = await buildBatches(mutants, "core", [], said);
  const variantPlaces = await buildVariants(mutants, variantFor, said);
  const queue = [...controlsOf(mutants, places), ...mutants];
  const results = [];
  const controls = [];
  const one = async () => {
    let process_;
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      process_ ??= new Worker(huntFile);
      const order = { mutant, place: mutant.place ?? places.get(mutant.number), milliseconds: seconds * 1000 };
      const variantPlace = variantPlaces.get(mutant.number);
      const result = { ...mutant, ...(await process_.take({ ...order, variantPlace })) };
      (mutant.number === NONE ? controls : results).push(result);
      told(result, results.length, mutants.length);
      if (process_.ended || process_.taken >= TERM) {
        process_.end();
        process_ = undefined;
      }
    }
    process_?.end();
  };
  await Promise.all(Array.from({ length: jobs }, one));
  const bad = controls.find(({ outcome }) => outcome !== "survived");
  if (bad) throw new Error(`a core without a mutant is ${bad.outcome}: ${JSON.stringify(bad.kill ?? bad.reason)}`);
  return results.sort((a, b) => a.number - b.number);
}

/** Each build of several mutants once with none of them in force: it must survive what they are hunted with. */
function controlsOf(mutants, places) {
  const builds = [...new Set([...places.values()].filter(({ alone }) => alone === false).map(({ build }) => build))];
  const file = mutants[0]?.file;
  return builds.map((build) => ({ number: NONE, file, rule: "control", place: { build } }));
}

async function buildVariants(mutants, variantFor, said) {
  const places = new Map();
  for (const [variant, some] of groups(mutants, ({ file }) => variantFor(file))) {
    if (!variant) continue;
    const built = await buildBatches(some, variant.name, variant.patches, said);
    for (const [number, place] of built) places.set(number, place);
  }
  return places;
}

/** The checker's part, which is TypeScript, as a module that a worker can load. */
async function bundleHunt() {
  mkdirSync(FOLDER, { recursive: true });
  const outfile = join(FOLDER, "hunt.mjs");
  await bundle({
    entryPoints: [join(ROOT, "src/check/mutants/hunt.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    logLevel: "warning",
  });
  return outfile;
}

class Worker {
  taken = 0;
  ended = false;
  #child;

  constructor(huntFile) {
    this.#child = fork(join(ROOT, "tools/mutation-worker.mjs"), [huntFile], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
  }

  take(order) {
    this.taken++;
    const child = this.#child;
    return new Promise((resolve) => {
      let doing = "building";
      let timer;
      let complaint = "";
      const done = (result) => {
        clearTimeout(timer);
        child.off("message", heard);
        child.off("exit", died);
        child.stderr.off("data", complains);
        resolve(result);
      };
      const silent = () => {
        this.end();
        const kill = { by: doing.split(",")[0], rule: "no end", text: `not heard of for ${QUIET} s`, setting: doing };
        done(doing.startsWith("building") ? { outcome: "fault", reason: doing } : { outcome: "killed", kill });
      };
      const heard = (message) => {
        if (message.outcome) return done(message);
        doing = message.began;
        clearTimeout(timer);
        const building = doing.startsWith("building") || doing === "ready";
        timer = setTimeout(silent, (building ? QUIET_BUILDING : QUIET) * 1000);
      };
      const died = () => {
        this.ended = true;
        done({ outcome: "fault", reason: `the process died, ${doing}: ${complaint.slice(-500)}` });
      };
      const complains = (text) => {
        complaint += text;
      };
      timer = setTimeout(silent, QUIET_BUILDING * 1000);
      child.on("message", heard);
      child.on("exit", died);
      child.stderr.on("data", complains);
      child.send(order);
    });
  }

  end() {
    this.ended = true;
    this.#child.removeAllListeners("exit");
    this.#child.kill("SIGKILL");
  }
}

/** One line for a mutant. */
export function describe({ number, file, line, function: name, rule, before, after }) {
  if (number === NONE) return "no mutant at all";
  return `#${number} ${file}:${line} ${name}, ${rule}: ${flat(before)} → ${flat(after) || "nothing"}`;
}

function flat(text) {
  return text.replace(/\s+/g, " ");
}

/** The report: totals, by rule, by file, by what killed, and who survived. */
export function report(results) {
  const lines = [headline(results), ""];
  lines.push(...table("rule", results, (r) => r.rule), "");
  lines.push(...table("file", results, (r) => r.file), "");
  lines.push(...causes(results), "");
  for (const outcome of ["survived", "fault", "not built"]) {
    const some = results.filter((r) => r.outcome === outcome);
    if (some.length === 0) continue;
    lines.push(
      `${outcome}:`,
      ...some.map((r) => `  ${describe(r)}${r.reason ? `   ${flat(r.reason).slice(0, 160)}` : ""}`),
      "",
    );
  }
  return lines.join("\n");
}

function headline(results) {
  const n = (outcome) => results.filter((r) => r.outcome === outcome).length;
  const [killed, survived] = [n("killed"), n("survived")];
  const aside = `${n("same")} the same code, ${n("not built")} not built, ${n("fault")} faults of the checker`;
  return `${results.length} mutants: ${killed} of ${killed + survived} killed, ${percent(killed, killed + survived)}; ${aside}`;
}

function table(name, results, keyOf) {
  const rows = [...groups(results, keyOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    row(name, "mutants", "killed", "survived", "same", "share"),
    ...rows.map(([key, group]) => {
      const n = (outcome) => group.filter((r) => r.outcome === outcome).length;
      return row(
        key,
        group.length,
        n("killed"),
        n("survived"),
        n("same"),
        percent(n("killed"), n("killed") + n("survived")),
      );
    }),
  ];
}

function groups(results, keyOf) {
  const found = new Map();
  for (const result of results) found.set(keyOf(result), [...(found.get(keyOf(result)) ?? []), result]);
  return found;
}

function causes(results) {
  const killed = results.filter((r) => r.outcome === "killed");
  const rows = [...groups(killed, ({ kill }) => `${kill.by}: ${kill.rule}`)].sort((a, b) => b[1].length - a[1].length);
  return [row("killed by", "mutants"), ...rows.map(([key, group]) => row(key, group.length))];
}

function row(first, ...rest) {
  return `  ${`${first}`.padEnd(30)}${rest.map((cell) => `${cell}`.padStart(9)).join("")}`;
}

function percent(part, whole) {
  return whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)} %`;
}

async function main() {
  const { values } = parseArgs({
    options: {
      size: { type: "string" },
      seed: { type: "string" },
      all: { type: "boolean" },
      only: { type: "string" },
      file: { type: "string" },
      jobs: { type: "string" },
      seconds: { type: "string" },
      json: { type: "string" },
      list: { type: "boolean" },
    },
  });
  const all = allMutants();
  let chosen = values.all ? all : sample(all, Number(values.size ?? SIZE), Number(values.seed ?? 1));
  if (values.file) chosen = (values.size ? chosen : all).filter(({ file }) => file.includes(values.file));
  if (values.only) {
    const wanted = new Set(values.only.split(",").map(Number));
    chosen = all.filter(({ number }) => wanted.has(number));
  }
  if (values.list) return process.stdout.write(chosen.map((mutant) => `${describe(mutant)}\n`).join(""));
  process.stderr.write(`${chosen.length} of ${all.length} mutants\n`);
  const results = await runMutants(chosen, {
    jobs: Number(values.jobs ?? availableParallelism()),
    seconds: Number(values.seconds ?? SECONDS),
    said: (text) => process.stderr.write(`built ${text}\n`),
    told: (result, done, of) => {
      const why = result.kill ? ` by ${result.kill.by}, ${result.kill.rule}` : "";
      process.stderr.write(
        `${done}/${of} ${result.outcome}${why} (${((result.ms ?? 0) / 1000).toFixed(1)} s)  ${describe(result)}\n`,
      );
    },
  });
  if (values.json) writeFileSync(values.json, JSON.stringify({ of: all.length, results }, undefined, 1));
  process.stdout.write(`${report(results)}\n`);
}

if (process.argv[1]?.endsWith("mutation-run.mjs")) await main();
