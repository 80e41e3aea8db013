/**
 * Random sequences of file calls, the same over memory, over directories of the host and, where there is one to ask, by
 * this machine's kernel. After each sequence the tree is compared whole: types, modes, link counts, sizes, contents.
 *
 *     names   a b c d, one or two deep          descriptors   the first few, open or not
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  APPEND,
  AT,
  type Call,
  CREAT,
  DIRECTORY,
  EXCL,
  NOFOLLOW,
  out,
  RD,
  RDWR,
  REMOVEDIR,
  TRUNC,
  WR,
} from "./support/files-calls";
import { type FilesGuest, KINDS } from "./support/files-guest";
import { findKernel } from "./support/files-kernel";

const kernel = findKernel();
const RUNS = process.env.FAULTLINE_FULL ? 3000 : 60;

const name = fc.constantFrom("a", "b", "c", "d");
const path = fc.oneof(
  { weight: 4, arbitrary: name },
  { weight: 4, arbitrary: fc.tuple(name, name).map((names) => names.join("/")) },
  { weight: 1, arbitrary: fc.tuple(name, name, name).map((names) => names.join("/")) },
  { weight: 1, arbitrary: fc.constantFrom("a/", "b/../a", "a/.", "../home/a", "c/..", ".") },
);
const base = fc.oneof(
  { weight: 6, arbitrary: fc.constant<number>(AT) },
  { weight: 1, arbitrary: fc.integer({ min: 3, max: 5 }) },
);
const fd = fc.integer({ min: 3, max: 7 });
const text = fc.constantFrom("", "x", "hello", "0123456789".repeat(20));
const position = fc.constantFrom(0, 1, 7, 100, 5000);
const flags = fc
  .tuple(fc.constantFrom(RD, WR, RDWR), fc.subarray([CREAT, TRUNC, APPEND, EXCL, NOFOLLOW]))
  .map(([access, more]) => more.reduce((all, flag) => all | flag, access));
const mode = fc.constantFrom(0o644, 0o600, 0o777);

const call: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(base, path, flags, mode).map(([at, p, f, m]): Call => ["openat", at, p, f, m]),
  fc.tuple(base, path, flags, mode).map(([at, p, f, m]): Call => ["openat", at, p, f | CREAT, m]),
  fc.tuple(base, path).map(([at, p]): Call => ["openat", at, p, DIRECTORY, 0]),
  fd.map((n): Call => ["close", n]),
  fc.tuple(fd, text).map(([n, t]): Call => ["write", n, t, t.length]),
  fc.tuple(fd, text, position).map(([n, t, at]): Call => ["pwrite64", n, t, t.length, at]),
  fd.map((n): Call => ["read", n, out(50), 50]),
  fc.tuple(fd, position, fc.integer({ min: 0, max: 2 })).map(([n, at, from]): Call => ["lseek", n, at, from]),
  fc.tuple(fd, position).map(([n, size]): Call => ["ftruncate", n, size]),
  fc.tuple(base, path, mode).map(([at, p, m]): Call => ["mkdirat", at, p, m]),
  fc.tuple(base, path, mode).map(([at, p, m]): Call => ["mkdirat", at, p, m]),
  fc.tuple(base, path, fc.constantFrom(0, 0, REMOVEDIR)).map(([at, p, f]): Call => ["unlinkat", at, p, f]),
  fc
    .tuple(base, path, base, path, fc.constantFrom(0, 0, 1))
    .map(([a, p, b, q, f]): Call => ["renameat2", a, p, b, q, f]),
  fc.tuple(base, path, base, path).map(([a, p, b, q]): Call => ["renameat2", a, p, b, q, 0]),
  fc.tuple(base, path, base, path).map(([a, p, b, q]): Call => ["linkat", a, p, b, q, 0]),
  fc.tuple(fc.oneof(path, name), base, path).map(([to, at, p]): Call => ["symlinkat", to, at, p]),
  fc.tuple(base, path).map(([at, p]): Call => ["newfstatat", at, p, out(144), 0]),
  fc.tuple(base, path, mode).map(([at, p, m]): Call => ["fchmodat", at, p, m]),
  path.map((p): Call => ["chdir", p]),
  fc.constant<Call>(["getcwd", out(4096), 4096]),
);

/** Asks everything there is to know about every name that can be there. */
const WHOLE: Call[] = (() => {
  const names = ["a", "b", "c", "d"];
  const twice = names.flatMap((one) => names.map((two) => `${one}/${two}`));
  const thrice = twice.flatMap((two) => names.map((one) => `${two}/${one}`));
  // Descriptor 3 is where the calls began, whatever became of the working directory.
  const each = [...names, ...twice, ...thrice].flatMap((p): Call[] => [
    ["newfstatat", 3, p, out(144), 0x100],
    ["readlinkat", 3, p, out(99), 99],
    ["openat", 3, p, RD, 0],
    ["pread64", 4, out(300), 300, 0],
    ["getdents64", 4, out(4000), 4000],
    ["close", 4],
  ]);
  return each;
})();
const AROUND = {
  before: [
    ["openat", AT, ".", DIRECTORY, 0],
    ["dup3", 3, 40, 0],
    ["close", 3],
  ] as Call[],
  after: [["dup3", 40, 3, 0], ["close_range", 4, 1000, 0], ...WHOLE] as Call[],
};

function differences(calls: readonly Call[], got: readonly string[], want: readonly string[]): string[] {
  return calls.flatMap((one, i) =>
    got[i] === want[i] ? [] : [`${i} ${JSON.stringify(one)}: ${got[i]}, not ${want[i]}`],
  );
}

function runOn(make: () => { guest: FilesGuest; end: () => void }, calls: readonly Call[]): string[] {
  const { guest, end } = make();
  try {
    return guest.run(calls);
  } finally {
    end();
  }
}

const sequences = fc
  .array(call, { minLength: 1, maxLength: 60 })
  .map((calls) => [...AROUND.before, ...calls, ...AROUND.after]);

test("over memory, --dir and --root the same sequences answer the same", { timeout: 600_000 }, () => {
  const [first, ...others] = KINDS.map(({ make }) => make);
  fc.assert(
    fc.property(sequences, (calls) => {
      const want = runOn(first!, calls);
      for (const make of others) expect(differences(calls, runOn(make, calls), want)).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});

test.runIf(kernel !== undefined)("a write of nothing past the end changes nothing", () => {
  const calls: Call[] = [
    ...AROUND.before,
    ["openat", -100, "a", 65, 0o644],
    ["pwrite64", 3, "", 0, 1],
    ...AROUND.after,
  ];
  expect(differences(calls, runOn(KINDS[0]!.make, calls), kernel!(calls))).toEqual([]);
});

test.runIf(kernel !== undefined)("in memory they answer as this machine's kernel does", { timeout: 600_000 }, () => {
  const { make } = KINDS[0]!;
  fc.assert(
    fc.property(sequences, (calls) => {
      expect(differences(calls, runOn(make, calls), kernel!(calls))).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});
