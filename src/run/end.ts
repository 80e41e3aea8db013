/**
 * run/end.ts: how a thread ends, and with its last thread a process.
 *
 *   robust mutexes, tid word (mm_release) ─► endThread ─► others live: leave the space
 *                                                     └─► the last:    files, the space, zombie and SIGCHLD
 *                                                         the first process: all others are killed, then the machine ends
 *
 * Promise    after the parent is told, nothing of the process is left but its status: descriptors are closed, memory is
 *            freed, its pages of files are with the host (kernel/exit.c:do_exit has the same order).
 * A space is held once by each thread in it. Who leaves acts on the first space meanwhile, which outlives all others, and
 * is in no cpumask: so the last put finds nobody in the space.
 */
import { Pending } from "../core/abi/pending.js";
import { releaseThread } from "./calls/threads.js";
import { HostCall } from "./files/service.js";
import { ThreadStopped } from "./hostport.js";
import { type Thread, ThreadExit } from "./thread.js";

/** How long a process that ends the machine sleeps before it looks again who is left. */
const OTHERS_WAIT_NS = 10_000_000n;
/** Wait status of a fatal signal: its low bits (wait(2)). */
const SIGNAL_BITS = 0x7f;

/** Runs a thread to its end. */
export function live(thread: Thread): void {
  const { core, cpu, port } = thread;
  let status = 0;
  try {
    thread.begin();
    thread.run();
  } catch (error) {
    if (error instanceof ThreadExit) status = error.code << 8;
    else if (!(error instanceof ThreadStopped)) throw error;
  }
  // It has been heard; what follows must not be cut short.
  core.takePending(cpu, Pending.Stop);
  releaseThread(thread);
  thread.resetHart();
  const last = core.endThread(cpu, status) === 0;
  if (last) port.request(HostCall.ExitFiles, [BigInt(thread.process.pid), 0n, 0n, 0n, 0n, 0n], 0, false);
  leaveSpace(thread);
  if (last) endProcess(thread);
  core.cpuOffline(cpu);
}

function leaveSpace(thread: Thread): void {
  const { core, cpu, guest } = thread;
  const space = core.spaceOf(cpu);
  core.leaveSpace(cpu);
  core.assignSpace(cpu, core.firstSpace());
  core.putSpace(cpu, space);
  guest.releaseObjects();
}

function endProcess(thread: Thread): void {
  const { core, cpu, host, process } = thread;
  const status = core.exitStatus(cpu);
  if (process.pid !== process.firstPid) {
    core.endProcess(cpu, process.uid);
    return;
  }
  while (core.killOthers(cpu) > 1) {
    core.sleep(cpu, OTHERS_WAIT_NS);
    core.takePending(cpu, Pending.Wake | Pending.Kick | Pending.Stop);
  }
  core.endProcess(cpu, process.uid);
  const signal = status & SIGNAL_BITS;
  host.post({ kind: "exit", status: signal === 0 ? status >> 8 : 128 + signal });
}
