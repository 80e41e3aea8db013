/** The machine on a platform that starts no real worker: its own failures, and the limit of threads. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Errno } from "../src/core/abi/errno";
import { Layout, Policy, Tables } from "../src/core/abi/mman";
import { Pending } from "../src/core/abi/pending";
import type { Core } from "../src/run/core";
import type { FileService } from "../src/run/files/service";
import { Machine, MachineError } from "../src/run/machine";
import type { WorkerMessage } from "../src/run/messages";
import type { Platform } from "../src/run/platform";
import { bootCore } from "./support/core";

const core = new WebAssembly.Module(readFileSync(new URL("../build/core.wasm", import.meta.url)));
const hello = readFileSync(new URL("../guest/bin/hello", import.meta.url));

const files: FileService = {
  connect: () => {},
  openProgram: async () => ({
    object: 1,
    size: hello.length,
    path: "/hello",
    readHead: async (length) => Uint8Array.from(hello.subarray(0, length)),
  }),
  handle: () => -Errno.ENOSYS,
  cancel: () => {},
  threadEnded: () => {},
  close: async () => {},
};

/** A platform whose first worker says one thing, as soon as it is started. */
function platformThatSays(message: WorkerMessage): Platform {
  let said = false;
  return {
    core,
    clockNs: () => performance.now() * 1e6,
    epochNs: () => Date.now() * 1e6,
    startWorker: (_init, listener) => {
      if (!said) queueMicrotask(() => listener(message));
      said = true;
      return { terminate: () => {} };
    },
  };
}

function machine(message: WorkerMessage): Machine {
  const settings = { policy: Policy.Optimistic, tables: Tables.Rcu, layout: Layout.Page, cpus: 2, uid: 0, gid: 0 };
  return new Machine(platformThatSays(message), files, { ...settings, memoryBytes: 32 << 20 });
}

test("a broken invariant stops the machine with its name and the state of memory", async () => {
  const stopped = machine({ kind: "failed", reason: "freeFrame: frame is not in use" }).run("hello", [], []);
  await expect(stopped).rejects.toThrow("freeFrame: frame is not in use");
  const error = await stopped.catch((thrown) => thrown);
  expect(error).toBeInstanceOf(MachineError);
  expect((error as MachineError).state[0]).toMatch(/^memory: \d+ of \d+ frames free, /);
});

test("a program that cannot be started is one line, without a state", async () => {
  const error = await machine({ kind: "refused", reason: "argument list too long" })
    .run("hello", [], [])
    .catch((thrown) => thrown);
  expect([error.message, error.state]).toEqual(["argument list too long", []]);
});

test("at the limit of threads a clone gets EAGAIN, and a thread's end makes room", () => {
  const booted = bootCore(16, 4);
  const tasks = booted.core as unknown as Core;
  const { cpu } = booted;
  tasks.taskInit(100, 2);
  expect(tasks.firstThread(cpu)).toBe(100);
  for (const i of [1, 2, 3]) tasks.joinPool(tasks.cpuArea(i));
  const index = tasks.claimWorker(cpu, 0, 0);
  expect(index).toBe(3);
  expect(tasks.claimWorker(cpu, 0, 0)).toBe(-Errno.EAGAIN);
  tasks.startThread(cpu, index, 0n, 0n, 0n);
  tasks.endThread(tasks.cpuArea(index), 0);
  expect(tasks.claimWorker(cpu, 0, 0)).toBe(2);
});

test("a signal for the process finds another thread when the one it kicked blocks it, or ends", () => {
  const [USR1, KICK] = [10, Pending.Kick];
  const booted = bootCore(16, 3);
  const tasks = booted.core as unknown as Core;
  const { cpu } = booted;
  const kicked = (i: number) => tasks.takePending(tasks.cpuArea(i), KICK) !== 0;
  tasks.taskInit(100, 3);
  tasks.firstThread(cpu);
  for (const i of [1, 2]) {
    tasks.joinPool(tasks.cpuArea(i));
    tasks.startThread(cpu, tasks.claimWorker(cpu, 0, 0), 0n, 0n, 0n);
  }
  expect(tasks.signalProcess(cpu, USR1, 0, 100, 0, 0n)).toBe(0);
  expect([0, 1, 2].map(kicked)).toEqual([true, false, false]);
  tasks.setMask(cpu, ~0n);
  expect([0, 1, 2].map(kicked)).toEqual([false, true, false]);
  tasks.endThread(tasks.cpuArea(1), 0);
  expect([0, 1, 2].map(kicked)).toEqual([false, false, true]);
});
