/** The verbs of the command line, in the order of `--help`: each registers its own command with the program. */
import type { Command } from "commander";
import { registerBench } from "./bench.js";
import { registerCheck } from "./check.js";
import { registerClaims } from "./claims.js";
import { registerPredict } from "./predict.js";
import { registerRun } from "./run.js";
import { registerStorm } from "./storm.js";

export const VERBS: ReadonlyArray<(program: Command) => void> = [
  registerRun,
  registerCheck,
  registerPredict,
  registerClaims,
  registerStorm,
  registerBench,
];
