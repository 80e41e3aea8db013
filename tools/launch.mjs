/**
 * The launcher's second half (./faultline starts it): set up, then run the built command line in this very process, so
 * that signals, stdin and the exit status are the command's own.
 */
import { setupOrExit } from "./setup.mjs";

export async function launch(args) {
  await setupOrExit(args[0] === "run" ? 125 : 1);
  const { main } = await import(new URL("../build/dist/main.js", import.meta.url).href);
  process.exitCode = await main(args);
}

if (process.argv[1]?.endsWith("launch.mjs")) await launch(process.argv.slice(2));
