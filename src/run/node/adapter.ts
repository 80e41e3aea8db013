/** run/node/adapter.ts: the machine's platform on Node: worker threads, the clock, the built core. */
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { WorkerInit, WorkerMessage } from "../messages.js";
import type { Platform, WorkerHandle } from "../platform.js";

/** `directory` holds the built worker.js; the core lies one above. */
export function nodePlatform(directory: URL): Platform {
  const script = new URL("worker.js", directory);
  const core = new WebAssembly.Module(readFileSync(new URL("../core.wasm", directory)));
  return {
    core,
    clockNs,
    epochNs: () => Date.now() * 1e6,
    startWorker: (init, listener, failed) => startWorker(script, init, listener, failed),
  };
}

/** CLOCK_MONOTONIC, the same in every thread of the process. */
export function clockNs(): number {
  return Number(process.hrtime.bigint());
}

function startWorker(
  script: URL,
  init: WorkerInit,
  listener: (message: WorkerMessage) => void,
  failed: (reason: string) => void,
): WorkerHandle {
  const worker = new Worker(script, { workerData: init, stdin: false, env: {}, execArgv: [] });
  let ending = false;
  worker.on("message", listener);
  worker.on("error", (error) => {
    if (!ending) failed(error.message);
  });
  return {
    terminate: () => {
      ending = true;
      void worker.terminate();
    },
  };
}
