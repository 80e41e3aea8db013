/**
 * run/worker.ts: the life of a worker: wait for a thread, be it, wait for the next.
 *
 *   start ─► [first thread] ─► idle in the pool ─► thread ─► idle …            until the machine terminates it
 *
 * A worker waits in the core, not in its event loop: a clone wakes it in microseconds.
 */
import { CoreBug, instantiateCore } from "./core.js";
import { live } from "./end.js";
import { ExecError, exec } from "./exec.js";
import { HostPort } from "./hostport.js";
import type { WorkerHost, WorkerInit } from "./messages.js";
import { Thread } from "./thread.js";

export function runWorker(init: WorkerInit, host: WorkerHost): void {
  const { info, memory, exec: plan } = init;
  try {
    const core = instantiateCore(init.module, memory, () => host.clockNs() - info.originNs);
    const cpu = core.cpuArea(init.index);
    const port = new HostPort(core, cpu, host, init.reply);
    const unknown = new Uint32Array(init.unknown);
    const thread = (tid: number) => new Thread(core, cpu, memory, port, host, info, tid, unknown);
    if (plan) {
      const tid = core.firstThread(cpu);
      core.cpuOnline(cpu);
      const first = thread(tid);
      first.name = plan.name;
      exec(first, plan);
      live(first);
    }
    for (;;) {
      core.joinPool(cpu);
      host.post({ kind: "idle" });
      core.awaitThread(cpu);
      core.cpuOnline(cpu);
      live(thread(core.threadTid(init.index)));
    }
  } catch (error) {
    if (error instanceof ExecError) host.post({ kind: "refused", reason: error.message });
    else host.post({ kind: "failed", reason: describe(error) });
  }
}

function describe(error: unknown): string {
  if (error instanceof CoreBug) return error.message;
  if (error instanceof WebAssembly.RuntimeError) return `core: ${error.message}`;
  return error instanceof Error ? `${error.message} ${error.stack?.split("\n")[1]?.trim() ?? ""}` : String(error);
}
