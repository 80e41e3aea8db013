/**
 * bench/child.ts: programs that are measured from outside, each a child process; and Ctrl-C, which ends the one at work.
 */
import { type ChildProcess, spawn } from "node:child_process";

/** A child that is asked to end gets this long. */
const GRACE_MS = 1500;

export interface Ended {
  output: string;
  complaint: string;
  status: number | null;
}

/** Runs to the end, or until the limit; never throws. */
export function runChild(
  command: readonly string[],
  limitMs: number,
  adopt: (child: ChildProcess) => void,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let said = "";
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      end(child);
    }, limitMs);
    const finish = (status: number | null, signal: string | null) => {
      clearTimeout(limit);
      const lastLine = said.trim().split("\n").at(-1);
      const complaint = late ? "it did not end in time" : lastLine || `status ${status ?? signal}`;
      resolve({ output, complaint, status });
    };
    adopt(child);
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (said += data));
    child.on("error", (error) => {
      said ||= error.message;
      finish(null, null);
    });
    child.on("close", finish);
  });
}

function end(child: ChildProcess): void {
  child.kill("SIGINT");
  setTimeout(() => child.kill("SIGKILL"), GRACE_MS).unref();
}

/** Ctrl-C ends the child at work; the loop then stops and prints what it has. */
export function watchInterrupt() {
  let happened = false;
  let child: ChildProcess | undefined;
  const listen = () => {
    happened = true;
    if (child) end(child);
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, listen);
  return {
    happened: () => happened,
    adopt: (next: ChildProcess) => {
      child = next;
    },
    stop: () => {
      for (const signal of signals) process.off(signal, listen);
    },
  };
}
