/**
 * Random riscv64 code, always the same for a seed: words of every shape, and sequences that load, store, branch and
 * compute but never leave their region. In sequences x2 and x8 are pointers and are never written.
 */
const POINTERS = [2, 8];

export interface Rng {
  bits(): number;
  below(n: number): number;
  integer(): bigint;
  float(): bigint;
  pick<T>(list: readonly T[]): T;
}

/** sfc32 (Chris Doty-Humphrey, PractRand). */
export function rng(seed: number): Rng {
  let [a, b, c, counter] = [seed, 0x9e3779b9, 0x243f6a88, 1];
  const bits = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) bits();
  const below = (n: number) => bits() % n;
  const pick = <T>(list: readonly T[]) => list[below(list.length)];
  const wide = () => (BigInt(bits()) << 32n) | BigInt(bits());
  const integer = () => {
    const kind = below(4);
    if (kind === 0) return wide();
    if (kind === 1) return BigInt.asUintN(64, BigInt(below(512) - 256));
    if (kind === 2) return BigInt.asUintN(64, BigInt(bits() | 0));
    return pick([
      0n,
      1n,
      0xffff_ffff_ffff_ffffn,
      1n << 63n,
      (1n << 63n) - 1n,
      1n << 31n,
      0xffff_ffffn,
      0xffff_ffff_8000_0000n,
    ]);
  };
  const float = () => {
    const kind = below(5);
    if (kind === 0) return (BigInt(below(2)) << 63n) | (BigInt(1000 + below(48)) << 52n) | (wide() >> 12n);
    if (kind === 1)
      return (
        0xffff_ffff_0000_0000n | BigInt((below(2) * 0x80000000 + ((115 + below(24)) << 23) + (bits() >>> 9)) >>> 0)
      );
    if (kind === 2) return pick(DOUBLES);
    if (kind === 3) return 0xffff_ffff_0000_0000n | pick(SINGLES);
    return wide();
  };
  return { bits, below, integer, float, pick };
}

const DOUBLES = [
  0n,
  1n << 63n,
  0x7ff0n << 48n,
  0xfff0n << 48n,
  0x7ff8n << 48n,
  0x7ff4n << 48n,
  1n,
  0x3ffn << 52n,
  0x7fefn << 48n,
];
const SINGLES = [
  0n,
  0x8000_0000n,
  0x7f80_0000n,
  0xff80_0000n,
  0x7fc0_0000n,
  0x7fa0_0000n,
  1n,
  0x3f80_0000n,
  0x7f7f_ffffn,
];

/** Not RV64GC, or longer than 32 bits, or vectors, which an oracle may have. */
const NO_MAJORS = [0x07, 0x0f, 0x15, 0x17, 0x1f];
const MAJORS = Array.from({ length: 32 }, (_, i) => i).filter((major) => !NO_MAJORS.includes(major));

/** A word of a major opcode that goes round with the index, the rest random, but likelier to mean something. Time and other CPUs' CSRs, and
 *  extensions that an oracle may have, are left out. */
export function anyWord(random: Rng, index: number): number {
  const major = MAJORS[index % MAJORS.length];
  let word = ((random.bits() & ~0x7f) | (major << 2) | 3) >>> 0;
  const f3 = (word >>> 12) & 7;
  if ([0x0c, 0x0e].includes(major) && random.below(4) > 0) word = place(word, 25, 7, random.pick([0, 0x20, 1]));
  if ([0x04, 0x06].includes(major) && (f3 & 3) === 1 && random.below(4) > 0) {
    word = place(word, 26, 6, random.pick([0, 0x10]));
  }
  if (major === 0x0b && random.below(2) > 0)
    word = place(place(word, 15, 5, random.pick(POINTERS)), 12, 3, 2 + random.below(2));
  if (major === 0x14 && random.below(4) > 0) word = place(place(word, 25, 7, floatOp(random)), 20, 5, random.below(5));
  if ([0, 1, 8, 9].includes(major)) word = place(word, 15, 5, random.pick(POINTERS));
  if (major === 0x1c) {
    const plain = random.pick([0x100073, 0x200073, 0x10500073, 0x30200073]);
    return f3 === 0 || f3 === 4 ? plain : place(word, 20, 12, random.pick([1, 2, 3, 4, 0x300, 0x7c0]));
  }
  return usable(word, major) ? word : anyWord(random, index);
}

/** Off: short jumps, which may never end, ecall (no signal), SC without LR at an odd address (the oracle fails it before it looks), cache hints. */
function usable(word: number, major: number): boolean {
  const f3 = (word >>> 12) & 7;
  if (major === 0x18) return (word & 0x7e000f80) !== 0;
  if (major === 0x1b) return (word & 0x7fe00000) !== 0;
  if (major === 0x0b) return word >>> 27 !== 3 && !(f3 > 3) && f3 > 1;
  if (major === 0x03) return f3 < 2;
  if (major === 0x01 || major === 0x09) return f3 === 2 || f3 === 3;
  return true;
}

function place(word: number, from: number, count: number, value: number): number {
  const mask = ((1 << count) - 1) << from;
  return ((word & ~mask) | (value << from)) >>> 0;
}

/** funct7 of OP-FP instructions on singles and doubles. */
function floatOp(random: Rng): number {
  const op = random.pick([0, 1, 2, 3, 4, 5, 8, 0x0b, 0x14, 0x18, 0x1a, 0x1c, 0x1e]);
  return (op << 2) | random.below(2);
}

/** Code of about `count` instructions. */
export function sequence(random: Rng, count: number): number[] {
  const code: number[] = [];
  for (let i = 0; i < count && code.length < 400; i++) code.push(...instruction(random));
  return code;
}

function instruction(random: Rng): number[] {
  const kind = random.below(100);
  if (kind < 28) return half(compressed(random));
  if (kind < 40) return wordBytes(registerOp(random));
  if (kind < 52) return wordBytes(immediateOp(random));
  if (kind < 68) return wordBytes(memoryOp(random));
  if (kind < 73) return wordBytes(atomicOp(random));
  if (kind < 75) return reservation(random);
  if (kind < 88) return wordBytes(float(random));
  if (kind < 90) return wordBytes(csr(random));
  if (kind < 91) return wordBytes(random.pick([0x0ff0000f, 0x0000100f, 0x0330000f]));
  return jump(random);
}

function half(bits: number): number[] {
  return [bits & 255, bits >>> 8];
}

function wordBytes(bits: number): number[] {
  return [...half(bits & 0xffff), ...half(bits >>> 16)];
}

function target(random: Rng): number {
  const rd = random.below(32);
  return POINTERS.includes(rd) ? target(random) : rd;
}

function typeR(opcode: number, f3: number, f7: number, rd: number, rs1: number, rs2: number): number {
  return ((f7 << 25) | (rs2 << 20) | (rs1 << 15) | (f3 << 12) | (rd << 7) | opcode) >>> 0;
}

function typeI(opcode: number, f3: number, rd: number, rs1: number, imm: number): number {
  return ((imm << 20) | (rs1 << 15) | (f3 << 12) | (rd << 7) | opcode) >>> 0;
}

function registerOp(random: Rng): number {
  const wide = random.below(2) === 0;
  const f7 = random.pick([0, 0, 1, 0x20]);
  const all = f7 === 0x20 ? [0, 5] : [0, 1, 2, 3, 4, 5, 6, 7];
  const narrow = f7 === 0x20 ? [0, 5] : f7 === 1 ? [0, 4, 5, 6, 7] : [0, 1, 5];
  const f3 = random.pick(wide ? all : narrow);
  return typeR(wide ? 0x33 : 0x3b, f3, f7, target(random), random.below(32), random.below(32));
}

function immediateOp(random: Rng): number {
  const rd = target(random);
  if (random.below(6) === 0) return ((random.bits() & 0xfffff000) | (rd << 7) | random.pick([0x37, 0x17])) >>> 0;
  const narrow = random.below(3) === 0;
  const f3 = random.pick(narrow ? [0, 1, 5] : [0, 1, 2, 3, 4, 5, 6, 7]);
  let imm = random.below(4096);
  if ((f3 & 3) === 1) imm = random.below(narrow ? 32 : 64) | (f3 === 5 ? random.below(2) << 10 : 0);
  return typeI(narrow ? 0x1b : 0x13, f3, rd, random.below(32), imm);
}

/** Near the page boundary half of the time, aligned or not. */
function memoryOp(random: Rng): number {
  const offset = random.below(2) === 0 ? random.below(24) - 12 : random.below(4096) - 2048;
  const base = random.pick(POINTERS);
  const kind = random.below(6);
  if (kind < 2) return typeI(0x03, random.below(7), target(random), base, offset & 0xfff);
  if (kind === 2) return typeI(0x07, 2 + random.below(2), random.below(32), base, offset & 0xfff);
  const [opcode, f3] = kind === 3 ? [0x27, 2 + random.below(2)] : [0x23, random.below(4)];
  return typeR(opcode, f3, (offset >> 5) & 127, offset & 31, base, random.below(32));
}

function atomicOp(random: Rng): number {
  const op = random.pick([0, 1, 4, 8, 12, 16, 20, 24, 28]);
  return typeR(
    0x2f,
    2 + random.below(2),
    (op << 2) | random.below(4),
    target(random),
    random.pick(POINTERS),
    random.below(32),
  );
}

/** LR, at times something between, SC: of the same or of another width and address. */
function reservation(random: Rng): number[] {
  const width = 2 + random.below(2);
  const base = random.pick(POINTERS);
  const same = random.below(4) > 0;
  const code = wordBytes(typeR(0x2f, width, 2 << 2, target(random), base, 0));
  if (random.below(2) === 0) code.push(...wordBytes(memoryOp(random)));
  const other = same ? base : random.pick(POINTERS);
  code.push(...wordBytes(typeR(0x2f, width, 3 << 2, target(random), other, random.below(32))));
  return code;
}

function rounding(random: Rng): number {
  return random.below(60) === 0 ? 5 + random.below(2) : random.pick([0, 1, 2, 3, 4, 7, 7, 7]);
}

function float(random: Rng): number {
  const [rd, rs1, rs2, double] = [random.below(32), random.below(32), random.below(32), random.below(2)];
  if (random.below(5) === 0) {
    const opcode = random.pick([0x43, 0x47, 0x4b, 0x4f]);
    return typeR(opcode, rounding(random), (random.below(32) << 2) | double, rd, rs1, rs2);
  }
  const op = random.pick([0, 1, 2, 3, 4, 5, 8, 0x0b, 0x14, 0x18, 0x1a, 0x1c, 0x1e]);
  const f7 = (op << 2) | double;
  const rm = rounding(random);
  if (op < 4) return typeR(0x53, rm, f7, rd, rs1, rs2);
  if (op === 4) return typeR(0x53, random.below(3), f7, rd, rs1, rs2);
  if (op === 5) return typeR(0x53, random.below(2), f7, rd, rs1, rs2);
  if (op === 8) return typeR(0x53, rm, f7, rd, rs1, 1 - double);
  if (op === 0x0b) return typeR(0x53, rm, f7, rd, rs1, 0);
  if (op === 0x14) return typeR(0x53, random.below(3), f7, target(random), rs1, rs2);
  if (op === 0x18) return typeR(0x53, rm, f7, target(random), rs1, random.below(4));
  if (op === 0x1a) return typeR(0x53, rm, f7, rd, rs1, random.below(4));
  if (op === 0x1c) return typeR(0x53, random.below(2), f7, target(random), rs1, 0);
  return typeR(0x53, 0, f7, rd, rs1, 0);
}

/** fflags and fcsr mostly by small immediates, so that a rounding mode that is none stays rare. */
function csr(random: Rng): number {
  const number = random.pick([1, 1, 2, 3]);
  const operand = number === 2 ? random.below(5) : random.below(32);
  return typeI(0x73, 5 + random.below(3), target(random), operand, number);
}

/** A jump over one instruction: a branch, jal, or jalr to a computed address. */
function jump(random: Rng): number[] {
  const over = instruction(random);
  const kind = random.below(4);
  if (kind < 2) {
    const f3 = random.pick([0, 1, 4, 5, 6, 7]);
    const offset = 4 + over.length;
    const high = ((offset >> 5) & 63) << 25;
    const low = (((offset >> 1) & 15) << 8) | (((offset >> 11) & 1) << 7);
    const bits = high | (random.below(32) << 20) | (random.below(32) << 15) | (f3 << 12) | low | 0x63;
    return [...wordBytes(bits >>> 0), ...over];
  }
  if (kind === 2) {
    const offset = 4 + over.length;
    const bits = (((offset >> 1) & 0x3ff) << 21) | (((offset >> 11) & 1) << 20) | (target(random) << 7) | 0x6f;
    return [...wordBytes(bits >>> 0), ...over];
  }
  const via = 9 + random.below(20);
  const auipc = (via << 7) | 0x17;
  return [...wordBytes(auipc), ...wordBytes(typeI(0x67, 0, target(random), via, 8 + over.length)), ...over];
}

/** A legal compressed instruction that neither jumps nor writes a pointer. */
function compressed(random: Rng): number {
  const bits = random.bits() & 0xffff;
  return isHarmless(bits) ? bits : compressed(random);
}

function isHarmless(bits: number): boolean {
  const [quadrant, f3, rd, rs2] = [bits & 3, bits >>> 13, (bits >>> 7) & 31, (bits >>> 2) & 31];
  const [low, high] = [8 + ((bits >>> 2) & 7), 8 + ((bits >>> 7) & 7)];
  const six = ((bits >>> 7) & 32) | rs2;
  const free = !POINTERS.includes(rd);
  if (quadrant === 0) {
    if (f3 === 0) return low !== 8 && bits >>> 5 !== 0 && ((bits >>> 5) & 0xff) !== 0;
    if (f3 === 4) return false;
    return high === 8 && (f3 === 1 || f3 >= 5 || low !== 8);
  }
  if (quadrant === 1) {
    if (f3 === 4) {
      const illegal = ((bits >>> 10) & 7) === 7 && ((bits >>> 6) & 1) === 1;
      return high !== 8 && !illegal;
    }
    if (f3 > 3 || !free) return false;
    return f3 === 1 ? rd !== 0 : f3 !== 3 || six !== 0;
  }
  if (quadrant === 3) return false;
  if (f3 === 4) return rs2 !== 0 && free;
  if (f3 === 2 || f3 === 3) return rd !== 0 && free;
  return f3 !== 0 || free;
}
