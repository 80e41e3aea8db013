/**
 * Where in the source each memory instruction and each call of the raw core is.
 *
 *   core.raw.wasm ──decode──▶ per function, in order: instruction, width, byte offset ─┐
 *   its source map ──decode─▶ byte offset → file, line                                 ├─▶ [{what, bytes, file, line}]
 *   the hooked core's sites ── the k-th of function F is the k-th instruction of F ────┘
 *
 * Why        Binaryen's JavaScript interface reads no source map, so the places are found beside it, and joined by order:
 *            rewriting keeps the instructions of a function in the order in which they are.
 * Promise    kinds and widths agree for every instruction of every function, or the build fails: no site is told as
 *            another's line. An opcode that is not in the tables stops the build.
 */
import { decode } from "@jridgewell/sourcemap-codec";

const CODE_SECTION = 10;
const IMPORT_SECTION = 2;

/** The imports that are no calls once words are placed (wasm-words.mjs). */
const FENCE = "fence";
const WAIT = "waitWord";

/**
 * Gives every site its `file` and `line`, and every one of `calls`, if there are any. `names`: the defined functions in the
 * order of the binary. Throws when the sites are not those of the binary.
 */
export function placeSites(sites, { binary, map, names, calls }) {
  const { functions, waits } = readPlaces(binary, map);
  const found = new Map(functions.map((list, i) => [names[i], list]));
  if (waits.length > 0) found.set("wait-word", [{ kind: "Wait", bytes: 4, ...waits[0] }]);
  const isCall = ({ kind }) => kind === "Call";
  join(sites, found, (place) => !isCall(place));
  if (calls) join(calls, found, isCall);
}

function join(sites, found, wanted) {
  const byFunction = groupByFunction(sites);
  for (const name of new Set([...found.keys(), ...byFunction.keys()])) {
    const announced = byFunction.get(name) ?? [];
    const places = (found.get(name) ?? []).filter(wanted);
    if (announced.length !== places.length) {
      throw new Error(`${name}: ${places.length} in the raw core, ${announced.length} in the hooked one`);
    }
    for (const [k, site] of announced.entries()) {
      const { kind, bytes, file, line } = places[k];
      const same = kind === (site.kind ?? "Call") && (!bytes || site.bytes === undefined || bytes === site.bytes);
      if (!same)
        throw new Error(`${name}: access ${k} is ${site.kind} ${site.bytes}, ${kind} ${bytes} in the raw core`);
      Object.assign(site, { file, line });
    }
  }
}

function groupByFunction(sites) {
  const groups = new Map();
  for (const site of sites) {
    if (!groups.has(site.function)) groups.set(site.function, []);
    groups.get(site.function).push(site);
  }
  return groups;
}

/** Each defined function's memory instructions and calls in order, and the places of the waits. */
function readPlaces(binary, map) {
  const placeAt = placesOf(map);
  const reader = new Reader(binary);
  const imports = [];
  const functions = [];
  const waits = [];
  reader.at = 8;
  while (reader.at < binary.length) {
    const section = reader.byte();
    const end = reader.u32() + reader.at;
    if (section === IMPORT_SECTION) imports.push(...readImports(reader));
    if (section === CODE_SECTION) {
      for (let n = reader.u32(); n > 0; n--) {
        const list = [];
        readBody(reader, (kind, bytes, offset, target) => {
          const place = placeAt(offset, reader.at);
          const word = kind === "Call" ? imports[target] : undefined;
          if (word === WAIT) waits.push(place);
          if (word === FENCE) list.push({ kind: "Fence", bytes: 0, ...place });
          else if (kind === "Copy")
            list.push({ kind: "CopyFrom", bytes, ...place }, { kind: "CopyTo", bytes, ...place });
          else list.push({ kind, bytes, ...place });
        });
        functions.push(list);
      }
    }
    reader.at = end;
  }
  return { functions, waits };
}

/**
 * The place of the instruction at [offset, end): its own, which an instruction whose result is dropped has not; then that of
 * the drop; else its last operand's.
 */
function placesOf(map) {
  const { sources, mappings } = JSON.parse(map);
  const [line = []] = decode(mappings);
  const last = (offset) => {
    let low = 0;
    let high = line.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (line[middle][0] <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };
  return (offset, end) => {
    let at = last(offset);
    if (line[at]?.length === 1 && line[at + 1]?.[0] === end) at++;
    while (at >= 0 && line[at].length === 1) at--;
    const [, source, row] = line[at] ?? [];
    return source === undefined ? { file: "", line: 0 } : { file: sources[source], line: row + 1 };
  };
}

class Reader {
  at = 0;

  constructor(bytes) {
    this.bytes = bytes;
  }

  byte() {
    return this.bytes[this.at++];
  }

  /** An unsigned number; of a wider one, the low bits. */
  u32() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  name() {
    const length = this.u32();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
}

/** The names of the imported functions. */
function readImports(reader) {
  const names = [];
  for (let n = reader.u32(); n > 0; n--) {
    reader.name();
    const name = reader.name();
    const kind = reader.byte();
    if (kind === 0) {
      reader.u32();
      names.push(name);
    } else if (kind === 2) {
      const limits = reader.u32();
      reader.u32();
      if (limits & 1) reader.u32();
    } else if (kind === 3) reader.at += 2;
    else throw new Error(`an import of kind ${kind}: the build does not know it`);
  }
  return names;
}

/** What follows an opcode. */
const Operands = { None: 0, One: 1, Block: 2, Memory: 3, Table: 4, Two: 5, Bytes4: 6, Bytes8: 7 };
const { None, One, Block, Memory, Table, Two, Bytes4, Bytes8 } = Operands;

/** Widths of opcodes 0x28 (i32.load) to 0x3e (i64.store32). */
const PLAIN_BYTES = [4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4, 4, 8, 4, 8, 1, 2, 1, 2, 4];
/** Widths of the seven forms of each atomic access, in the order of their opcodes. */
const ATOMIC_BYTES = [4, 8, 1, 2, 1, 2, 4];

function readBody(reader, found) {
  const end = reader.u32() + reader.at;
  for (let n = reader.u32(); n > 0; n--) {
    reader.u32();
    reader.byte();
  }
  while (reader.at < end) {
    const offset = reader.at;
    const opcode = reader.byte();
    if (opcode === 0xfc) readBulk(reader, offset, found);
    else if (opcode === 0xfe) readAtomic(reader, offset, found);
    else {
      const target = skip(reader, operandsOf(opcode));
      if (opcode === 0x10) found("Call", 0, offset, target);
      if (opcode >= 0x28 && opcode <= 0x3e) found(opcode < 0x36 ? "Load" : "Store", PLAIN_BYTES[opcode - 0x28], offset);
    }
  }
}

function readBulk(reader, offset, found) {
  const opcode = reader.u32();
  if (opcode < 8) return;
  if (opcode === 10) {
    reader.at += 2;
    found("Copy", 0, offset);
  } else if (opcode === 11) {
    reader.at++;
    found("Fill", 0, offset);
  } else throw new Error(`bulk instruction ${opcode}: the build does not know it`);
}

function readAtomic(reader, offset, found) {
  const opcode = reader.u32();
  if (opcode === 3) {
    reader.byte();
    found("Fence", 0, offset);
    return;
  }
  skip(reader, Memory);
  if (opcode === 0) found("Notify", 4, offset);
  else if (opcode < 3) found("Wait", opcode * 4, offset);
  else if (opcode >= 0x10 && opcode <= 0x4e) {
    const form = opcode - 0x10;
    const kinds = ["AtomicLoad", "AtomicStore", ...Array(6).fill("AtomicRmw"), "AtomicCmpxchg"];
    found(kinds[Math.floor(form / 7)], ATOMIC_BYTES[form % 7], offset);
  } else throw new Error(`atomic instruction ${opcode}: the build does not know it`);
}

function operandsOf(opcode) {
  if (opcode >= 0x28 && opcode <= 0x3e) return Memory;
  if (opcode >= 0x45 && opcode <= 0xc4) return None;
  const operands = OTHERS.get(opcode);
  if (operands === undefined) throw new Error(`opcode 0x${opcode.toString(16)}: the build does not know it`);
  return operands;
}

const OTHERS = new Map([
  ...[0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b].map((opcode) => [opcode, None]),
  ...[0x02, 0x03, 0x04].map((opcode) => [opcode, Block]),
  ...[0x0c, 0x0d, 0x10, 0x20, 0x21, 0x22, 0x23, 0x24, 0x3f, 0x40, 0x41, 0x42].map((opcode) => [opcode, One]),
  [0x0e, Table],
  [0x11, Two],
  [0x43, Bytes4],
  [0x44, Bytes8],
]);

function skip(reader, operands) {
  if (operands === One || operands === Block) return reader.u32();
  if (operands === Memory || operands === Two) {
    reader.u32();
    reader.u32();
  } else if (operands === Table) for (let n = reader.u32() + 1; n > 0; n--) reader.u32();
  else if (operands === Bytes4) reader.at += 4;
  else if (operands === Bytes8) reader.at += 8;
  return undefined;
}
