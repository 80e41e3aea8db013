/** run/platform.ts: what the machine needs of the place it runs in; run/node/ has Node's. */
import type { WorkerInit, WorkerMessage } from "./messages.js";

export interface WorkerHandle {
  terminate(): void;
}

export interface Platform {
  /** The shipping core, compiled. */
  readonly core: WebAssembly.Module;
  /** Starts a worker that calls runWorker(init, …); `failed` is told when it could not start or broke down. */
  startWorker(
    init: WorkerInit,
    listener: (message: WorkerMessage) => void,
    failed: (reason: string) => void,
  ): WorkerHandle;
  /** The clock the workers' clockNs reads. */
  clockNs(): number;
  /** Nanoseconds since 1970. */
  epochNs(): number;
}
