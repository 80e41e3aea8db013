/**
 * What the core's records look like, for those who tell people about them: build/layout.json.
 *
 *   export const V_DETACHED: usize = 12;      ─▶  {"mm/vma.ts": {"V_DETACHED": 12, …}, …}
 *   const COMPLETED: usize = RCU + 4;         ─▶  {"sync/rcu.ts": {"COMPLETED": 4228, …}, …}
 *
 * Why       offsets are written once, in the core. A field that is renamed there is renamed in every report.
 * How       the constants of a file are arithmetic over literals and other constants, imported ones too; whatever is more
 *           than that (an enum's member, a call) is left out, as is what no double holds exactly.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { ROOT } from "./paths.mjs";

const CONSTANT = /^(?:export )?const ([A-Z][A-Z0-9_]*)(?:: \w+)? = ([^;]+);/gm;
const IMPORT = /^import \{([^}]+)\} from "(\.[^"]+)";/gm;
const TOKEN = /\s+|<\w+>|(0x[\da-f_]+|\d[\d_]*)(?![\w.])|([A-Z][A-Z0-9_]*)(?![\w.])|<<|>>|[-+*|&~()]/giy;

export function coreLayout(folder = join(ROOT, "src/core")) {
  const files = new Map();
  for (const layer of ["sync", "mm"]) {
    for (const name of readdirSync(join(folder, layer)).sort()) {
      files.set(`${layer}/${name}`, declarations(readFileSync(join(folder, layer, name), "utf8")));
    }
  }
  const layout = {};
  for (const [file, { constants }] of files) {
    const values = [...constants.keys()].map((name) => [name, evaluate(files, file, name)]);
    const kept = values.filter(([, value]) => value !== undefined && Number.isSafeInteger(Number(value)));
    if (kept.length > 0) layout[file] = Object.fromEntries(kept.map(([name, value]) => [name, Number(value)]));
  }
  return layout;
}

function declarations(text) {
  const constants = new Map([...text.matchAll(CONSTANT)].map(([, name, expression]) => [name, expression]));
  const imports = new Map();
  for (const [, names, from] of text.matchAll(IMPORT)) {
    for (const name of names.split(",")) imports.set(name.trim(), from);
  }
  return { constants, imports };
}

/** The value of a constant as a file sees it; undefined when it is no arithmetic over constants. */
function evaluate(files, file, name) {
  const there = files.get(file);
  if (!there) return undefined;
  const { constants, imports } = there;
  if (!constants.has(name)) {
    const from = imports.get(name);
    return from && evaluate(files, posix.join(posix.dirname(file), `${from}.ts`), name);
  }
  const expression = constants.get(name);
  let text = "";
  const tokens = [...expression.matchAll(TOKEN)];
  if (tokens.map(([all]) => all).join("") !== expression) return undefined;
  for (const [all, literal, word] of tokens) {
    if (literal) text += `${literal.replaceAll("_", "")}n`;
    else if (word) {
      const value = evaluate(files, file, word);
      if (value === undefined) return undefined;
      text += `${value}n`;
    } else if (!all.startsWith("<") || all === "<<") text += all;
  }
  return new Function(`return ${text};`)();
}
