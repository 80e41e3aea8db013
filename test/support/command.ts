/** The command line as a user drives it: a child of its own, in a folder, with nothing of this environment but PATH. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export function start(folder: string, ...args: string[]): ChildProcess {
  const env = { PATH: process.env.PATH };
  return spawn(process.execPath, [join(ROOT, "tools/launch.mjs"), ...args], { cwd: folder, env });
}

/** Once it has said so, on stdout or stderr. */
export function said(child: ChildProcess, what: RegExp): Promise<void> {
  let text = "";
  return new Promise((resolve) => {
    for (const output of [child.stdout, child.stderr])
      output?.on("data", (data) => {
        text += data;
        if (what.test(text)) resolve();
      });
  });
}

export function ended(child: ChildProcess): Promise<Ended> {
  let [out, err] = ["", ""];
  child.stdout?.on("data", (data) => (out += data));
  child.stderr?.on("data", (data) => (err += data));
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, out, err })));
}
