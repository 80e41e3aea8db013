/**
 * Make the checkout ready to run: install what is missing, build what is older than its sources, one launch at a time.
 * `npm run build` runs this file. All messages go to stderr: stdout belongs to the command that follows.
 */
import { join } from "node:path";
import { build, staleTargets } from "./build.mjs";
import { install, needsInstall } from "./install.mjs";
import { withLock } from "./lock.mjs";
import { ROOT } from "./paths.mjs";

export async function setup() {
  if (!needsInstall() && staleTargets().length === 0) return;
  await withLock(join(ROOT, "build/setup.lock"), say, async () => {
    install(say);
    await build(say);
  });
}

/** Sets up, or ends the process with one line that says why it could not. */
export async function setupOrExit(status) {
  const major = Number(process.versions.node.split(".")[0]);
  try {
    if (major < 20) throw new Error(`Node 20 or newer is needed, this is ${process.version}`);
    await setup();
  } catch (error) {
    say(error.message);
    process.exit(status);
  }
}

function say(text) {
  process.stderr.write(`faultline: ${text}\n`);
}

if (process.argv[1]?.endsWith("setup.mjs")) await setupOrExit(1);
