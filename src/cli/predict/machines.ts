/**
 * cli/predict/machines.ts: the machine files, src/predict/machines/*.json: whoever adds one there can name it.
 *
 * A machine may also be given as a path; `this` is what --calibrate measured. Whatever is wrong with a file is a ModelError of one line.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Machine, ModelError, parseCommon, parseMachine } from "../../predict/machine.js";
import { unknownName } from "../nearest.js";

const COMMON = "common.json";
/** What `predict --calibrate` writes. */
const THIS = "build/this.json";

export function machineNames(root: string): string[] {
  return readdirSync(folder(root))
    .filter((file) => file.endsWith(".json") && file !== COMMON)
    .map((file) => basename(file, ".json"))
    .sort();
}

export function loadMachine(root: string, name: string): Machine {
  const common = parseCommon(readFileSync(join(folder(root), COMMON), "utf8"), COMMON);
  if (/[/\\]|\.json$/.test(name)) return parseMachine(read(name), name, common);
  if (name === "this") return parseMachine(read(join(root, THIS)), THIS, common);
  const file = join(folder(root), `${name}.json`);
  if (name === "common" || !existsSync(file)) throw new ModelError(unknownName("machine", name, machineNames(root)));
  return parseMachine(readFileSync(file, "utf8"), `${name}.json`, common);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const hint = path.endsWith(THIS) ? ": predict --calibrate writes it" : "";
    throw new ModelError(`${(error as Error).message}${hint}`);
  }
}

function folder(root: string): string {
  return join(root, "src/predict/machines");
}
