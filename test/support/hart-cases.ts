/**
 * Cases for the hart: short pieces of code, the registers they start from, and what they leave. The oracle
 * (test/oracle/hart-driver.c under qemu) and our hart take and give the same bytes:
 *
 *   case     start:u32 length:u32 code:512  x:u64×32  f:u64×32  fcsr:u64          1040 bytes
 *   result   signal:u32 fcsr:u32  pc:u64    x:u64×32  f:u64×32  data:u32 pad:u32   536 bytes
 *
 *   0x40000000  two pages of code, c.ebreak wherever the case has none, so every path ends; code begins at `start`
 *   0x50000000  two pages of data, filled the same way before each case; `data` is a checksum of them after it
 */
import { anyWord, type Rng, rng, sequence } from "./hart-code";

export const CODE = 0x4000_0000n;
export const DATA = 0x5000_0000n;
export const REGION_BYTES = 8192;
export const CASE_CODE = 512;
export const CASE_BYTES = 1040;
export const RESULT_BYTES = 536;

export interface Case {
  start: number;
  code: number[];
  x: BigUint64Array;
  f: BigUint64Array;
  fcsr: number;
}

export interface Group {
  name: string;
  count: number;
  /** Cases to one committed hash. */
  perHash: number;
  make(index: number): Case;
}

export const GROUPS: Group[] = [
  { name: "every half-word", count: 65536, perHash: 512, make: halfWord },
  { name: "words of every major opcode", count: 24576, perHash: 256, make: word },
  { name: "sequences", count: 4096, perHash: 32, make: (i) => sequenceCase(i) },
];

/** Sequences beyond the committed ones, for machines that have the oracle. */
export function freshSequences(seed: number, count: number): Group {
  return { name: "fresh sequences", count, perHash: 1, make: (i) => sequenceCase(seed + i) };
}

function halfWord(index: number): Case {
  const random = rng(0x1000000 + index);
  const bits = jumpsToItself(index) ? 0x9002 : index;
  return { ...registers(random), start: 4094 - 2 * (index & 1), code: [bits & 255, bits >> 8] };
}

/** c.j, c.beqz and c.bnez by 0: they would never end. */
function jumpsToItself(half: number): boolean {
  return half === 0xa001 || (half & 0xfc7f) === 0xc001 || (half & 0xfc7f) === 0xe001;
}

function word(index: number): Case {
  const random = rng(0x2000000 + index);
  const bits = anyWord(random, index);
  const start = 4096 - 2 * random.below(6);
  return { ...registers(random), start, code: [0, 8, 16, 24].map((shift) => (bits >>> shift) & 255) };
}

function sequenceCase(seed: number): Case {
  const random = rng(0x3000000 + seed);
  const code = sequence(random, 24 + random.below(48));
  const start = 4096 - 2 * random.below(code.length / 2 + 1);
  return { ...registers(random), start, code };
}

/** Random registers; x2 and x8 point between the two pages of data. */
function registers(random: Rng): Pick<Case, "x" | "f" | "fcsr"> {
  const x = new BigUint64Array(32);
  const f = new BigUint64Array(32);
  for (let i = 1; i < 32; i++) x[i] = random.integer();
  for (let i = 0; i < 32; i++) f[i] = random.float();
  x[2] = DATA + 4096n - 16n * BigInt(random.below(24));
  x[8] = DATA + 4096n;
  return { x, f, fcsr: random.below(32) | (random.below(5) << 5) };
}

export function encodeCase(test: Case): Uint8Array {
  const bytes = new Uint8Array(CASE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, test.start, true);
  view.setUint32(4, test.code.length, true);
  bytes.set(test.code, 8);
  const words = new BigUint64Array(bytes.buffer, 8 + CASE_CODE, 65);
  words.set(test.x, 0);
  words.set(test.f, 32);
  words[64] = BigInt(test.fcsr);
  return bytes;
}

/** FNV-1a over 32-bit words, as the oracle takes it of the data. */
export function hash(words: Uint32Array, from = 0x811c9dc5): number {
  let h = from;
  for (let i = 0; i < words.length; i++) h = Math.imul(h ^ words[i], 0x01000193);
  return h >>> 0;
}

/** One hash for each `perHash` results. */
export function hashes(results: Uint8Array[], perHash: number): string[] {
  const out: string[] = [];
  for (let i = 0; i < results.length; i += perHash) {
    let h = 0x811c9dc5;
    for (const result of results.slice(i, i + perHash)) h = hash(new Uint32Array(result.slice().buffer), h);
    out.push(h.toString(16).padStart(8, "0"));
  }
  return out;
}

/** What differs between two results, for a person. */
export function explain(test: Case, want: Uint8Array, got: Uint8Array): string {
  const lines = [`code ${Buffer.from(test.code).toString("hex")} at +0x${test.start.toString(16)}`];
  const [w, g] = [want, got].map((bytes) => new DataView(bytes.slice().buffer));
  const compare = (name: string, at: number, wide: boolean) => {
    const [a, b] = [w, g].map((view) => (wide ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true))));
    if (a !== b) lines.push(`  ${name}: want ${a.toString(16)}, got ${b.toString(16)}`);
  };
  compare("signal", 0, false);
  compare("fcsr", 4, false);
  compare("pc", 8, true);
  for (let i = 1; i < 32; i++) compare(`x${i} (was ${test.x[i].toString(16)})`, 16 + 8 * i, true);
  for (let i = 0; i < 32; i++) compare(`f${i} (was ${test.f[i].toString(16)})`, 272 + 8 * i, true);
  compare("data", 528, false);
  return lines.join("\n");
}
