/** The documentation names real files and functions, and its links lead somewhere. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DOCS = [
  "README.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
/** A document may leave out what is common to the files it speaks of. */
const BASES = ["", "src/", "src/core/", "src/core/mm/", "docs/"];

const SOURCES = ["src", "tools", "guest"]
  .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && /\.(ts|mjs|c|h)$/.test(entry.name))
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
  .join("\n");
const WORDS = new Set(SOURCES.match(/\w+/g));

const text = (path: string) => readFileSync(join(ROOT, path), "utf8");
/** Programs for the reader are run by other tests, and speak of their own names. */
const prose = (path: string) => text(path).replace(/^```(ts|sh)\n[\s\S]*?^```$/gm, "");
const spans = (path: string) => [...prose(path).matchAll(/`([^`\n]+)`/g)].map((match) => match[1] as string);
const exists = (path: string) => BASES.some((base) => existsSync(join(ROOT, base, path)));

/** What the build makes is not in the tree; another project's file is named "path:function". */
function fileNames(path: string): string[] {
  const names = prose(path).match(/(?<![\w/:.-])[\w.-]+(?:\/[\w.-]+)*\.(?:ts|mjs|c|h|md|json)\b(?!:)/g) ?? [];
  return [...new Set(names.filter((name) => !name.startsWith("build/")))];
}

function functionNames(path: string): string[] {
  return [...new Set([...prose(path).matchAll(/\b([A-Za-z_]\w*)\(\)/g)].map((match) => match[1] as string))];
}

function isFunction(name: string): boolean {
  return new RegExp(`\\bfunction ${name}\\b|^ +(?:async |private |static )*${name}(?:<\\w+>)?\\(.*\\{$`, "m").test(
    SOURCES,
  );
}

test.each(DOCS)("%s names files that exist", (path) => {
  expect(fileNames(path).filter((name) => !exists(name))).toEqual([]);
});

test.each(DOCS)("%s names folders that exist", (path) => {
  const folders = spans(path).filter((span) => /^(src|test|tools|docs|guest)\/[\w/]+$/.test(span));
  expect(folders.filter((name) => !exists(name))).toEqual([]);
});

test.each(DOCS)("%s names functions that exist", (path) => {
  expect(functionNames(path).filter((name) => !isFunction(name))).toEqual([]);
});

test.each(DOCS)("%s names constants and words of the core that exist", (path) => {
  const constants = spans(path).filter((span) => /^[A-Z][A-Z0-9]*_[A-Z0-9_]+$/.test(span));
  expect(constants.filter((name) => !WORDS.has(name))).toEqual([]);
});

test.each(DOCS)("the relative links of %s lead to something", (path) => {
  const links = [...prose(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] as string);
  const relative = links.filter((link) => !/^[a-z]+:/.test(link));
  expect(relative.filter((link) => !existsSync(join(ROOT, dirname(path), link)))).toEqual([]);
});

test("the documents are looked through, not past", () => {
  expect(fileNames("docs/architecture.md").length).toBeGreaterThan(40);
  expect(functionNames("docs/architecture.md").length).toBeGreaterThan(25);
  expect(isFunction("faultOptimistic")).toBe(true);
  expect(isFunction("seat")).toBe(true);
  expect(isFunction("faultPessimistic")).toBe(false);
  expect(exists("mm/nowhere.ts")).toBe(false);
});

/** Values of the core that a document repeats, with the words around them. */
test.each([
  ["src/core/mm/deferred.ts", /ENOUGH: u32 = (\d+)/, "docs/concurrency.md", "once N records wait"],
  ["src/core/mm/faultOptimistic.ts", /ATTEMPTS: u32 = (\d+)/, "docs/architecture.md", "at most N times"],
  ["src/core/sync/rwlock.ts", /SPINS: u32 = (\d+)/, "docs/concurrency.md", "spins N rounds"],
])("%s has the value %s that %s states: %s", (source, pattern, path, phrase) => {
  const value = pattern.exec(text(source))?.[1];
  expect(value).toBeDefined();
  expect(text(path).replace(/\s+/g, " ")).toContain(phrase.replace("N", value as string));
});
