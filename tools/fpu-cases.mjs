/** tools/fpu-cases.mjs: the floating-point operations under test, and an endless supply of hard operands for them.
 *
 *  Random bits alone test nothing: two random doubles differ by hundreds of binary orders. So operands are drawn to
 *  meet: sums whose exponents are near or whose leading bits cancel, products and quotients at the edges of overflow
 *  and underflow, significands of few bits (exact results and ties), addends that hit the product's rounding bit,
 *  conversions around n + 1/2 and the integers' limits, and special values throughout.
 *
 *  A case is { operation, rm, a, b, c }: operation indexes `operations`, operands are BigInts of the bits. The same
 *  seed gives the same cases.                                                                                        */

/** The lines of test/oracle/fpu-oracle.c, in its order: each of these is a double, then a single. `shape` says what
 *  the function takes beside the operands: "fm" fcsr and mode, "f" fcsr, "" neither. */
const families = [
  ["Add", 2, "fm"],
  ["Sub", 2, "fm"],
  ["Mul", 2, "fm"],
  ["Div", 2, "fm"],
  ["Sqrt", 1, "fm"],
  ["MulAdd", 3, "fm"],
  ["MulSub", 3, "fm"],
  ["NegMulSub", 3, "fm"],
  ["NegMulAdd", 3, "fm"],
  ["Min", 2, "f"],
  ["Max", 2, "f"],
  ["SignInject", 2, ""],
  ["SignNegate", 2, ""],
  ["SignXor", 2, ""],
  ["Eq", 2, "f"],
  ["Lt", 2, "f"],
  ["Le", 2, "f"],
  ["Classify", 1, ""],
  ["ToI32", 1, "fm"],
  ["ToU32", 1, "fm"],
  ["ToI64", 1, "fm"],
  ["ToU64", 1, "fm"],
  ["FromI32", 1, "fm"],
  ["FromU32", 1, "fm"],
  ["FromI64", 1, "fm"],
  ["FromU64", 1, "fm"],
];

export const operations = [
  ...families.flatMap(([family, arity, shape]) =>
    [64, 32].map((width) => ({ name: `f${width}${family}`, family, width, arity, shape })),
  ),
  { name: "f64ToF32", family: "Narrow", width: 64, arity: 1, shape: "fm" },
  { name: "f32ToF64", family: "Widen", width: 32, arity: 1, shape: "f" },
];

const DOUBLE = { width: 64, fractionBits: 52, bias: 1023, maxField: 2047 };
const SINGLE = { width: 32, fractionBits: 23, bias: 127, maxField: 255 };

export function* cases(seed, count) {
  const random = randomSource(seed);
  for (let i = 0; i < count; i++) {
    const operation = i % operations.length;
    const rm = random.below(5);
    const { family, width } = operations[operation];
    const operands = draw(family, width === 64 ? DOUBLE : SINGLE, random);
    yield { operation, rm, a: operands[0], b: operands[1] ?? 0n, c: operands[2] ?? 0n };
  }
}

function draw(family, format, random) {
  if (random.below(8) === 0) return [anything(format, random), anything(format, random), anything(format, random)];
  if (family === "Add" || family === "Sub" || family === "Min" || family === "Max") return near(format, random);
  if (family === "Mul") return product(format, random);
  if (family === "Div") return quotient(format, random);
  if (family.includes("Mul")) return fused(format, random);
  if (family.startsWith("From")) return [integer(random)];
  if (family.startsWith("To")) return [nearInteger(format, random)];
  if (family === "Narrow") return [nearSingle(random)];
  if (["Eq", "Lt", "Le"].includes(family)) return near(format, random);
  return [anything(format, random), anything(format, random)];
}

/** Two operands whose exponents lie within the precision of each other, sometimes almost equal. */
function near(format, random) {
  const a = finite(format, random);
  if (random.below(4) === 0) {
    const step = BigInt(random.below(5) - 2);
    return [a, BigInt.asUintN(format.width, (a + step) ^ sign(format, random.below(2)))];
  }
  const reach = format.fractionBits + 4;
  const exp = fieldOf(format, a) + random.below(2 * reach + 1) - reach;
  return mix(random, [a, pack(format, random, exp, fraction(format, random))]);
}

/** Two factors; one time in three their product lies near the smallest normal, one time in three near overflow. */
function product(format, random) {
  const a = finite(format, random);
  return mix(random, [a, pack(format, random, partner(format, random, fieldOf(format, a)), fraction(format, random))]);
}

function quotient(format, random) {
  const [b, other] = product(format, random);
  const inverse = pack(format, random, 2 * format.bias - fieldOf(format, b), fraction(format, random));
  const a = random.below(3) === 0 ? inverse : other;
  // A dividend that is the divisor but for its last bits makes quotients of long runs of ones or zeros.
  return random.below(4) === 0 ? [BigInt.asUintN(format.width, b + BigInt(random.below(7) - 3)), b] : [a, b];
}

/** a, b and an addend that overlaps their product somewhere, or cancels it. */
function fused(format, random) {
  const [a, b] = product(format, random);
  const p = format.fractionBits;
  const exp = fieldOf(format, a) + fieldOf(format, b) - format.bias;
  const c = pack(format, random, exp + random.below(3 * p + 20) - (2 * p + 10), fraction(format, random));
  if (random.below(3) !== 0) return mix(random, [a, b, c]);
  const rounded = bitsOf(format, -numberOf(format, a) * numberOf(format, b));
  return [a, b, BigInt.asUintN(format.width, rounded + BigInt(random.below(5) - 2))];
}

function nearInteger(format, random) {
  const half = random.below(4) * 0.25;
  const limit = [0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 63, 2 ** 64, 2 ** 52, 2 ** 23][random.below(9)];
  const value = random.below(3) === 0 ? random.below(1000) + half : limit + random.below(5) - 2 + half;
  const bits = bitsOf(format, random.below(2) === 0 ? value : -value) + BigInt(random.below(3) - 1);
  if (random.below(3) !== 0) return BigInt.asUintN(format.width, bits);
  return pack(format, random, format.bias + random.below(70) - 3, fraction(format, random));
}

/** A double within a few units or exactly half-way of a single, from single's subnormals to its overflow. */
function nearSingle(random) {
  const kept = fraction(SINGLE, random) << 29n;
  const rest = [0n, 1n, 1n << 28n, (1n << 28n) - 1n, (1n << 28n) + 1n, (1n << 29n) - 1n][random.below(6)];
  const exp = [1023 + random.below(40) - 20, 1023 - 126 - random.below(27), 1023 + 125 + random.below(4)][
    random.below(3)
  ];
  const all = random.below(4) === 0 ? ((1n << 52n) - 1n) ^ ((1n << BigInt(random.below(40))) - 1n) : kept | rest;
  return pack(DOUBLE, random, exp, all);
}

function integer(random) {
  const size = random.bits64() >> BigInt(random.below(64));
  const shifted = BigInt.asUintN(64, (((size >> 1n) << 1n) | 1n) << BigInt(random.below(12)));
  const picked = [size, shifted, 1n << BigInt(random.below(64)), [0n, 1n, (1n << 64n) - 1n][random.below(3)]][
    random.below(4)
  ];
  return BigInt.asUintN(64, random.below(2) === 0 ? picked : -picked);
}

/** An exponent field whose sum with `field` is anywhere, near underflow or near overflow. */
function partner(format, random, field) {
  const target = [
    0,
    random.below(format.fractionBits + 6) - format.fractionBits - 3,
    format.maxField - 3 + random.below(5),
  ];
  const where = random.below(3);
  if (where === 0) return format.bias + random.below(61) - 30;
  return target[where] + format.bias - field;
}

function mix(random, operands) {
  if (random.below(2) === 0) operands.splice(0, 2, operands[1], operands[0]);
  return operands;
}

function finite(format, random) {
  const exp = [format.bias + random.below(61) - 30, random.below(format.maxField), 0, 1 + random.below(60)][
    random.below(4)
  ];
  return pack(format, random, exp, fraction(format, random));
}

/** Few bits, long runs of ones, or random. */
function fraction(format, random) {
  const bits = format.fractionBits;
  const all = (1n << BigInt(bits)) - 1n;
  const one = 1n << BigInt(random.below(bits));
  const drawn = [
    0n,
    one,
    all ^ (one - 1n),
    one - 1n,
    all,
    one | (1n << BigInt(random.below(bits))),
    random.bits64(),
    random.bits64(),
  ];
  return drawn[random.below(drawn.length)] & all;
}

/** Any value: zeros, infinities, both kinds of NaN, the ends of the ranges, small integers, random bits. */
function anything(format, random) {
  if (random.below(3) === 0) return BigInt.asUintN(format.width, random.bits64());
  const list = specials(format);
  const [exp, frac] = list[random.below(list.length)];
  return sign(format, random.below(2)) | place(format, exp, frac);
}

/** Exponent fields and fractions of the values where rules change. */
function specials({ fractionBits, bias, maxField }) {
  const top = 1n << BigInt(fractionBits - 1);
  const all = top * 2n - 1n;
  const zeros = [[0, 0n]];
  const subnormals = [
    [0, 1n],
    [0, top],
    [0, all],
  ];
  const normals = [
    [1, 0n],
    [1, 1n],
    [bias - 1, all],
    [bias, 0n],
    [bias, 1n],
    [bias + 1, top],
    [maxField - 1, all],
  ];
  const infinities = [[maxField, 0n]];
  const nans = [
    [maxField, top],
    [maxField, all],
    [maxField, 1n],
    [maxField, top - 1n],
  ];
  return [...zeros, ...subnormals, ...normals, ...infinities, ...nans];
}

/** Every combination of the special values, of both signs, for every operation; the modes take turns. */
export function* specialCases() {
  let rm = 0;
  for (let operation = 0; operation < operations.length; operation++) {
    const { width, arity, family } = operations[operation];
    if (family.startsWith("From")) continue;
    const format = width === 64 ? DOUBLE : SINGLE;
    const values = specials(format).flatMap(([exp, frac]) =>
      [0, 1].map((s) => sign(format, s) | place(format, exp, frac)),
    );
    for (let i = 0; i < values.length ** arity; i++) {
      const pick = (position) => values[Math.floor(i / values.length ** position) % values.length];
      rm = (rm + 1) % 5;
      yield { operation, rm, a: pick(0), b: arity > 1 ? pick(1) : 0n, c: arity > 2 ? pick(2) : 0n };
    }
  }
}

/** A value of random sign; an exponent out of range becomes the nearest in range, so that few are NaNs. */
function pack(format, random, exp, frac) {
  const last = random.below(16) === 0 ? format.maxField : format.maxField - 1;
  return sign(format, random.below(2)) | place(format, Math.min(Math.max(exp, 0), last), frac);
}

function sign({ width }, negative) {
  return BigInt(negative) << BigInt(width - 1);
}

function place({ fractionBits }, exp, frac) {
  return (BigInt(exp) << BigInt(fractionBits)) | frac;
}

function fieldOf(format, bits) {
  return Number(bits >> BigInt(format.fractionBits)) & format.maxField;
}

const view = new DataView(new ArrayBuffer(8));

function numberOf(format, bits) {
  view.setBigUint64(0, bits);
  return format === DOUBLE ? view.getFloat64(0) : view.getFloat32(4);
}

function bitsOf(format, value) {
  if (format === DOUBLE) view.setFloat64(0, value);
  else view.setFloat32(0, value);
  return format === DOUBLE ? view.getBigUint64(0) : BigInt(view.getUint32(0));
}

/** splitmix-like 32-bit generator: small, seedable, good enough to pick cases. */
function randomSource(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  return {
    below: (limit) => Math.floor((next() / 4294967296) * limit),
    bits64: () => (BigInt(next()) << 32n) | BigInt(next()),
  };
}
