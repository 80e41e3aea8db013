/** run/node/worker.ts: the entry of a worker thread on Node. */
import { parentPort, workerData } from "node:worker_threads";
import type { WorkerInit } from "../messages.js";
import { runWorker } from "../worker.js";
import { clockNs } from "./adapter.js";

runWorker(workerData as WorkerInit, {
  post: (message) => parentPort?.postMessage(message),
  clockNs,
});
