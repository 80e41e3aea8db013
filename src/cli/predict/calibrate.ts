/**
 * cli/predict/calibrate.ts: `predict --calibrate`: this machine as a machine file, build/this.json, by a micro-benchmark of a second.
 *
 *   line hand-off   two threads pass a word to and fro: half a round trip, less what the two calls cost on a line of one's own
 *   zero, copy      4 KiB of a memory too large for the caches, by wasm's fill and copy
 *   wake            a thread asleep on a word: what notify costs, and how long until it answers
 * Each is the least of several rounds: what else the machine does only adds. What is not measured is taken from common.json, and the
 * one-thread fault is assumed.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { CalibrateInit } from "./calibrateworker.js";

const ROUNDS = 9;
/** Short, and many: some lie between two interruptions. */
const PASSES = 100;
const PASS_ROUNDS = 1500;
const ADDS = 200_000;
const PAGES = 16_384;
const WAKES = 40;

/** `(func (export "z") (param i32))` fills 4 KiB with zeroes, `"c"` copies 4 KiB to param 0 from param 1. */
const FILL_AND_COPY = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 10, 2, 0x60, 1, 0x7f, 0, 0x60, 2, 0x7f, 0x7f, 0],
  ...[2, 10, 1, 1, 0x65, 1, 0x6d, 2, 3, 1, 0x80, 8],
  ...[3, 3, 2, 0, 1],
  ...[7, 9, 2, 1, 0x7a, 0, 0, 1, 0x63, 0, 1],
  ...[10, 28, 2, 12, 0, 0x20, 0, 0x41, 0, 0x41, 0x80, 0x20, 0xfc, 11, 0, 11],
  ...[13, 0, 0x20, 0, 0x20, 1, 0x41, 0x80, 0x20, 0xfc, 10, 0, 0, 11],
);

export async function calibrate(root: string, file: URL): Promise<string> {
  const shared = new SharedArrayBuffer(4096);
  const words = new Int32Array(shared);
  const other = new Worker(file, { workerData: { shared } satisfies CalibrateInit, execArgv: [] });
  try {
    while (Atomics.load(words, READY) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const atomic = least(() => adds(words));
    const load = least(() => loads(words));
    const pass = least(() => passes(words), PASS_ROUNDS);
    const { wake, wakeUp } = await wakes(words);
    const { zero, copy } = pages();
    const measured = (value: number, unit: string, what: string) => ({
      value: Number(value.toPrecision(3)),
      unit,
      source: `measured here by predict --calibrate: ${what}`,
    });
    const handOff = Math.max(5, pass - load - atomic);
    const constants = {
      complex: measured(handOff, "ns", "a word passed between two threads"),
      socket: measured(handOff, "ns", "as complex"),
      remote: measured(handOff, "ns", "as complex: one socket is assumed"),
      zero: measured(zero, "ns", "4 KiB cleared, of 64 MiB"),
      copy: measured(copy, "ns", "4 KiB copied, of 64 MiB"),
      bandwidth: measured(Math.max(1, (2 * 4096) / copy), "GB/s", "that copy's reads and writes, one thread"),
      wake: measured(wake, "ns", "Atomics.notify of a sleeper"),
      wakeUp: measured(Math.max(500, wakeUp), "ns", "from before the notify to its answer"),
      fault: { value: 2780, unit: "ns", assumed: true, sweep: [800, 4000] },
    };
    const n = availableParallelism();
    const machine = {
      name: "this",
      about: `this machine, ${cpus()[0]?.model.trim() || "a CPU without a name"}, ${n} CPUs taken as cores of one socket`,
      topology: { sockets: 1, complexesPerSocket: 1, coresPerComplex: Math.min(n, 256), threadsPerCore: 1 },
      constants,
    };
    const path = join(root, "build/this.json");
    writeFileSync(path, `${JSON.stringify(machine, undefined, 2)}\n`);
    const lines = Object.entries(constants).map(([name, { value, unit }]) => `${name.padEnd(10)} ${value} ${unit}`);
    return `${machine.about}\n${lines.join("\n")}\nwritten to build/this.json: predict --machine this\n`;
  } finally {
    await other.terminate();
  }
}

/** Words of the shared memory, each in a line of its own. */
export const BALL = 0;
export const MODE = 32;
export const READY = 64;
export const BED = 96;
export const ANSWER = 128;
const OWN = 160;

function least(once: () => number, rounds = ROUNDS): number {
  let best = Infinity;
  for (let i = 0; i < rounds; i++) best = Math.min(best, once());
  return best;
}

function adds(words: Int32Array): number {
  const began = performance.now();
  for (let i = 0; i < ADDS; i++) Atomics.add(words, OWN, 1);
  return ((performance.now() - began) * 1e6) / ADDS;
}

function loads(words: Int32Array): number {
  const began = performance.now();
  for (let i = 0; i < ADDS; i++) Atomics.load(words, OWN);
  return ((performance.now() - began) * 1e6) / ADDS;
}

/** One way of the ball, ns. The other thread gives it back at once; odd is ours. */
function passes(words: Int32Array): number {
  const from = Atomics.load(words, BALL);
  const began = performance.now();
  for (let i = 0; i < PASSES; i++) {
    const now = from + 2 * i + 1;
    Atomics.store(words, BALL, now);
    while (Atomics.load(words, BALL) === now);
  }
  return ((performance.now() - began) * 1e6) / (2 * PASSES);
}

async function wakes(words: Int32Array): Promise<{ wake: number; wakeUp: number }> {
  Atomics.store(words, MODE, 1);
  Atomics.add(words, BALL, 1);
  let wake = Infinity;
  let wakeUp = Infinity;
  for (let i = 0; i < WAKES; i++) {
    await new Promise((resolve) => setTimeout(resolve, 3));
    const answered = Atomics.load(words, ANSWER);
    const began = performance.now();
    Atomics.add(words, BED, 1);
    const woken = Atomics.notify(words, BED);
    const notified = performance.now();
    if (woken === 0) continue;
    while (Atomics.load(words, ANSWER) === answered);
    wake = Math.min(wake, (notified - began) * 1e6);
    wakeUp = Math.min(wakeUp, (performance.now() - began) * 1e6);
  }
  return { wake, wakeUp };
}

function pages(): { zero: number; copy: number } {
  const memory = new WebAssembly.Memory({ initial: 1024, maximum: 1024, shared: true });
  const { z, c } = new WebAssembly.Instance(new WebAssembly.Module(FILL_AND_COPY), { e: { m: memory } }).exports as {
    z(at: number): void;
    c(to: number, from: number): void;
  };
  const each = (one: (at: number) => void) => {
    const began = performance.now();
    for (let page = 0; page < PAGES / 2; page++) one(page * 4096);
    return ((performance.now() - began) * 1e6) / (PAGES / 2);
  };
  return { zero: least(() => each(z)), copy: least(() => each((at) => c(at, at + (PAGES / 2) * 4096))) };
}
