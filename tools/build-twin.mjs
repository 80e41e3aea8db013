/**
 * Build a core with some source lines replaced: the checker's buggy twins and variants (src/check/twins/).
 *
 *   src/core ──copy──▶ a temporary folder ──patch──▶ asc, link ──▶ the pair of modules, in memory
 *
 * Promise    every line to be replaced is there exactly once, or the build fails: a twin can not go stale unnoticed.
 * Smaller    hart and tasks are left out and optimisation is light: what is broken is the protocol, and it takes a second.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, link, linkTold } from "./build-core.mjs";
import { ROOT } from "./paths.mjs";

const MEMORY_MANAGER_ONLY = [
  { file: "index.ts", line: 'export { boot } from "./machine";', replacement: 'export { boot } from "./mm/boot";' },
  { file: "index.ts", line: 'export * from "./hart/index";', replacement: "" },
  { file: "index.ts", line: 'export * from "./task/index";', replacement: "" },
];

export class StalePatch extends Error {}

/** Returns {core, hooked, sites}, as link() does. */
export function buildTwin(patches) {
  return compilePatched(patches, "-O1", link);
}

/** The same with whole files replaced first, by name: mutants (tools/mutants.mjs), with the patches of a variant or none. */
export function buildReplaced(files, patches = []) {
  return compilePatched(patches, "-O1", link, (folder) => {
    for (const [file, text] of files) writeFileSync(join(folder, file), text);
  });
}

/** Of the same only what the compiler makes of it, not yet linked: enough to see whether two sources are the same. */
export function compileReplaced(files) {
  return compilePatched(
    [],
    "-O1",
    (binary) => Buffer.from(binary),
    (folder) => {
      for (const [file, text] of files) writeFileSync(join(folder, file), text);
    },
  );
}

/** The same source, not optimised: {told, sites, calls}, as linkTold() does. Without patches, of the core that ships. */
export function buildTold(patches) {
  return compilePatched(patches, "-O0", linkTold);
}

async function compilePatched(patches, optimisation, into, replace = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), "faultline-twin-"));
  try {
    cpSync(join(ROOT, "src/core"), folder, { recursive: true });
    replace(folder);
    for (const patch of [...MEMORY_MANAGER_ONLY, ...patches]) replaceLine(folder, patch);
    const { binary, map } = await compile(join(folder, "index.ts"), { flags: [optimisation] });
    return into(binary, map);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function replaceLine(folder, { file, line, replacement }) {
  const path = join(folder, file);
  const lines = readFileSync(path, "utf8").split("\n");
  const found = lines.flatMap((text, i) => (text.trim() === line ? [i] : []));
  if (found.length !== 1) throw new StalePatch(`${file}: the line "${line}" is there ${found.length} times, not once`);
  lines[found[0]] = replacement;
  writeFileSync(path, lines.join("\n"));
}
