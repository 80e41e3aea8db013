/**
 * Mutants: every small way, by rule, in which the core's synchronisation and memory manager could be wrong.
 *
 *   src/core/sync, src/core/mm ──AssemblyScript's own parser──▶ syntax tree ──RULES──▶ {number, file, function, rule, before, after}
 *
 * Promise    nothing is picked by hand: a rule takes every place it fits. Numbers follow file, place and rule, so they stay
 *            until a source changes; sample() takes every k-th.
 * Left out   by rule, each with its reason:
 *   files      verify, stat, watched: the checker's own eyes. env, layout, kinds: declarations. order: no code
 *   functions  boot…: run once, before there is anybody to race with. pauseRun: the run engine's; the checker brings its own
 *   counting   count(), countBy(), countMax(), sample(), cpuWord() for the state dump, and what only leads to them: figures that
 *              nothing depends on
 *   self checks  bug(), and the conditions that only lead to it: they are what kills
 *   endless    `while` made true, a `for` condition: no end is not worth a run to find
 *   plain pairs  two plain accesses swapped: who could see their order would race with them, and races are forbidden
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NodeKind, newOptions, newProgram, parse } from "assemblyscript";
import { ROOT } from "./paths.mjs";

const CORE = join(ROOT, "src/core");
const FOLDERS = ["sync", "mm"];
const NO_FILE = new Set(["verify.ts", "stat.ts", "watched.ts", "env.ts", "layout.ts", "kinds.ts", "order.ts"]);
const NO_FUNCTION = /^(boot|pauseRun$|count$|countBy$|countMax$|counter$|sample$|cpuWord$|gracePeriods$)/;

const COUNTING = /^(count|countBy|countMax|sample)\(/;
const SELF_CHECK = /^bug\(/;
const ATOMIC = /^atomic\.(\w+)<(\w+)>$/;
const PUBLISHES =
  /^(unlock|irqO|rcuE|walk|mmap|read|write|vma|free|defer|gather|shoot|post|notify|retire|mark|idle|answer|take)/i;
const LOCKS =
  /\b(lock\w*|tryLock\w*|irqOff|rcuEnter|walkBegin|mmap\w+Lock|readLock|writeLock|vmaStart\w+|mapAndLock)\(/;
const UNLOCKS =
  /^(unlock\w*|irqOn|rcuExit|walkEnd|mmap\w+Unlock|readUnlock|writeUnlock|vmaEndRead|mmapDowngrade|downgrade)\(/;
const OTHER_BOUND = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };
/** Functions that a mutant adds to its file: an atomic instruction done in two. */
const IN_TWO = {
  cmpxchg: (name) =>
    `function ${name}<T>(at: usize, seen: T, value: T): T { const was = atomic.load<T>(at); if (was == seen) atomic.store<T>(at, value); return was; }`,
  xchg: (name) => inTwo(name, "value"),
  add: (name) => inTwo(name, "was + value"),
  sub: (name) => inTwo(name, "was - value"),
  and: (name) => inTwo(name, "was & value"),
  or: (name) => inTwo(name, "was | value"),
};
const OPERANDS = { cmpxchg: 3 };

function inTwo(name, value) {
  return `function ${name}<T>(at: usize, value: T): T { const was = atomic.load<T>(at); atomic.store<T>(at, ${value}); return was; }`;
}

/** All of them, numbered from 0. */
export function allMutants() {
  const found = [];
  for (const folder of FOLDERS) {
    for (const name of readdirSync(join(CORE, folder)).sort()) {
      if (name.endsWith(".ts") && !NO_FILE.has(name)) found.push(...mutantsOf(`${folder}/${name}`));
    }
  }
  return found.map((mutant, number) => ({ number, ...mutant }));
}

/** About `size` of them, evenly spread over files and rules; another `seed` takes others. */
export function sample(mutants, size, seed = 1) {
  if (size >= mutants.length) return mutants;
  const every = mutants.length / size;
  const first = (seed * 0.618034 * every) % every;
  return Array.from({ length: size }, (_, i) => mutants[Math.floor(first + i * every)]);
}

/** What becomes of the source of a mutant's file. */
export function mutated({ file, start, end, after, addition = "" }) {
  const text = readFileSync(join(CORE, file), "utf8");
  return `${text.slice(0, start)}${after}${text.slice(end)}\n${addition}\n`;
}

/** Whether several mutants can be told apart by a switch: what declares a name must stay where it is. */
export function switchable({ form, before }) {
  return form !== "sequence" || !/\b(let|const)\b/.test(before);
}

/**
 * The source of a file with several mutants of it, none inside another: which one is in force says the constant MUTANT, which the
 * core imports. With a number that none has, the core is right.
 */
export function switched(file, mutants) {
  let text = readFileSync(join(CORE, file), "utf8");
  const additions = new Set(['@external("env", "mutant") declare const MUTANT: i32;']);
  for (const { number, form, start, end, before, after, addition } of [...mutants].sort((a, b) => b.start - a.start)) {
    const chosen = `MUTANT == ${number}`;
    if (addition) additions.add(addition);
    const upTo = form !== "expression" && text[end] === ";" ? end + 1 : end;
    const both =
      form === "expression"
        ? `(${chosen} ? (${after}) : (${before}))`
        : `{ if (${chosen}) { ${after}; } else { ${before}; } }`;
    text = text.slice(0, start) + both + text.slice(upTo);
  }
  return `${text}\n${[...additions].join("\n")}\n`;
}

/** The mutants of one file, in the order of places. `text` is its source. */
export function mutantsOf(file, text = readFileSync(join(CORE, file), "utf8")) {
  const program = newProgram(newOptions());
  parse(program, text, file, true);
  const source = program.sources.find(({ normalizedPath }) => normalizedPath === file);
  const finder = new Finder(file, text);
  for (const statement of source.statements) finder.top(statement);
  return finder.found.sort((a, b) => a.start - b.start || a.end - b.end || (a.rule < b.rule ? -1 : 1));
}

class Finder {
  found = [];
  #file;
  #text;
  #function = "";

  constructor(file, text) {
    this.#file = file;
    this.#text = text;
  }

  top(node) {
    if (node.kind !== NodeKind.FunctionDeclaration || !node.body) return;
    this.#function = node.name.text;
    if (NO_FUNCTION.test(this.#function)) return;
    this.#visit(node.body, undefined);
  }

  #of(node) {
    return this.#text.slice(node.range.start, node.range.end);
  }

  #add(rule, { start, end }, after, form = "expression", addition = undefined) {
    const before = this.#text.slice(start, end);
    const line = this.#text.slice(0, start).split("\n").length;
    const mutant = { file: this.#file, line, function: this.#function, rule, form, start, end, before, after };
    this.found.push(addition ? { ...mutant, addition } : mutant);
  }

  #visit(node, parent) {
    const { kind } = node;
    if (this.#aside(node)) return;
    if (kind === NodeKind.Block) this.#sequence(node, parent);
    if (kind === NodeKind.If || kind === NodeKind.Ternary) this.#condition(node);
    if (kind === NodeKind.While && this.#of(node.condition) !== "true")
      this.#add("condition false", node.condition.range, "false");
    if (kind === NodeKind.Expression) this.#statement(node);
    if (kind === NodeKind.Binary) this.#binary(node);
    if (kind === NodeKind.Call) this.#atomic(node);
    if (kind === NodeKind.PropertyAccess) this.#outcome(node, parent);
    if (kind === NodeKind.Return) this.#answer(node);
    for (const child of childrenOf(node)) this.#visit(child, node);
  }

  /** What only counts, or only checks itself. */
  #aside(node) {
    if (node.kind === NodeKind.Expression) return COUNTING.test(this.#of(node)) || SELF_CHECK.test(this.#of(node));
    return node.kind === NodeKind.If && !node.ifFalse && this.#aside(onlyStatement(node.ifTrue));
  }

  #condition({ condition }) {
    this.#add("condition true", condition.range, "true");
    this.#add("condition false", condition.range, "false");
  }

  #statement(node) {
    if (node.expression.kind !== NodeKind.Call) return;
    const callee = this.#of(node.expression.expression);
    const args = node.expression.typeArguments?.length ? `${callee}<>` : callee;
    const memory = /^(store|atomic\.|memory\.)/.test(args);
    this.#add(memory ? "memory instruction dropped" : "call dropped", node.range, "", "statement");
  }

  #binary(node) {
    const [left, right] = [this.#of(node.left), this.#of(node.right)];
    const operator = this.#text.slice(node.left.range.end, node.right.range.start).replace(/[()\s]/g, "");
    if (operator === "&&" || operator === "||") {
      this.#add("operand dropped", node.range, left);
      this.#add("operand dropped", node.range, right);
    }
    if ((operator === "+" || operator === "-") && right === "1") this.#add("one off", node.range, left);
    if (OTHER_BOUND[operator]) this.#add("bound moved", node.range, `${left} ${OTHER_BOUND[operator]} ${right}`);
  }

  #atomic(node) {
    const types = node.typeArguments;
    if (types?.length !== 1) return;
    const [, word, type] = ATOMIC.exec(`${this.#of(node.expression)}<${this.#of(types[0])}>`) ?? [];
    if (!word) return;
    const args = node.args.map((arg) => this.#of(arg));
    const form = word === "store" ? "statement" : "expression";
    if (word === "load" || word === "store")
      this.#add("atomic made plain", node.range, `${word}<${type}>(${args.join(", ")})`, form);
    const make = IN_TWO[word];
    if (!make) return;
    const operands = OPERANDS[word] ?? 2;
    const [at, ...values] = args.slice(0, operands);
    const place = args.length > operands ? `${at} + ${args[operands]}` : at;
    const name = `${word}InTwo`;
    const done = `${name}<${type}>(${[place, ...values].join(", ")})`;
    this.#add("atomic done in two", node.range, done, "expression", make(name));
  }

  #outcome(node, parent) {
    const text = this.#of(node);
    const done = /^Outcome\.(?!Done$)/.test(text)
      ? "Outcome.Done"
      : /^Start\.(?!Locked$)/.test(text)
        ? "Start.Locked"
        : "";
    const compared = parent?.kind === NodeKind.Binary && /[=!]=/.test(this.#of(parent));
    if (done && !compared) this.#add("retry lost", node.range, done);
  }

  #answer({ value }) {
    if (!value) return;
    const text = this.#of(value);
    if (text === "true" || text === "false")
      this.#add("answer turned", value.range, text === "true" ? "false" : "true");
  }

  /** Rules about statements that follow one another. */
  #sequence({ statements }, parent) {
    for (let i = 0; i < statements.length; i++) {
      if (i > 0) this.#swap(statements[i - 1], statements[i]);
      if (UNLOCKS.test(this.#of(statements[i]))) this.#unlockEarly(statements, i, parent);
    }
  }

  #swap(a, b) {
    const simple = (node) => node.kind === NodeKind.Expression || node.kind === NodeKind.Variable;
    if (!simple(a) || !simple(b) || this.#aside(a) || this.#aside(b)) return;
    const [first, second] = [this.#of(a), this.#of(b)];
    const publishes = (text) => text.startsWith("atomic.") || PUBLISHES.test(text);
    if (!publishes(first) && !publishes(second)) return;
    const plain = (text) => /^(store|let|const)\b/.test(text) && !/atomic\.|\w+\(cpu/.test(text);
    const local = (text) => /^(let|const)\b/.test(text) && !/[(<]/.test(text);
    if (local(first) || local(second)) return;
    if (plain(first) && plain(second)) return;
    const declared = /^(?:let|const) (\w+)/.exec(first)?.[1];
    if (declared && new RegExp(`\\b${declared}\\b`).test(second)) return;
    const between = this.#text.slice(a.range.end, b.range.start).replace(";", "");
    this.#add("pair swapped", { start: a.range.start, end: b.range.end }, `${second};${between}${first}`, "sequence");
  }

  #unlockEarly(statements, at, parent) {
    let from = at - 1;
    while (from >= 0 && !LOCKS.test(headOf(this.#of(statements[from])))) from--;
    const heldByBlock = parent?.kind === NodeKind.If && LOCKS.test(this.#of(parent.condition));
    if (from < 0 && !heldByBlock) return;
    if (at - from < 2) return;
    const unlock = this.#of(statements[at]);
    const start = from < 0 ? statements[0].range.start : statements[from].range.end;
    const end = statements[at].range.end;
    const rest = this.#text.slice(start, statements[at].range.start);
    this.#add("unlocked early", { start, end }, from < 0 ? `${unlock}; ${rest}` : `; ${unlock}${rest}`, "sequence");
  }
}

/** A statement up to the block that it governs. */
function headOf(text) {
  return text.split("{")[0];
}

function onlyStatement(node) {
  return node.kind === NodeKind.Block && node.statements.length === 1 ? node.statements[0] : node;
}

/** Whatever of a node is a node. */
function childrenOf(node) {
  const isNode = (value) => value && typeof value === "object" && typeof value.kind === "number" && value.range;
  return Object.values(node).flatMap((value) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  );
}
