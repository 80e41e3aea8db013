/**
 * Every memory call against the real kernel: the same C source compiled for this machine and for riscv64, what it prints
 * compared line by line, section by section, under the default policy and the patchset's.
 *
 * Where this machine's kernel lacks a call, its section prints "unsupported here" and the lines of NAME.expected take its
 * place: recorded on Linux 6.18, or for what that kernel was built without, written from the source that the file names.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ROOT } from "../../tools/paths.mjs";
import {
  buildProgram,
  comparable,
  cut,
  mayRun,
  type Program,
  type Ran,
  runFaultline,
  runNative,
} from "../support/programs";

const POLICIES = ["optimistic", "spf"];
/** Limits on locked memory do not bind root: run by it, these sections run as nobody, on both sides. */
const UNPRIVILEGED = new Set(["mem-lock limited"]);
const NOBODY = process.getuid?.() === 0 ? 65534 : undefined;
const MISSING = "unsupported here\n";

/** Programs, their sections, and those that Faultline refuses as a kernel without them does: docs/memory-calls.md says why. */
const CASES: Readonly<Record<string, { sections: string; absent?: string }>> = {
  mmap: {
    sections: "types lengths fixed hints refusals writeOnly protections growsDown holes droppable many",
  },
  protect: { sections: "refusals overHoles contents takesEffect zeroPage files growing keys neighbours" },
  remap: {
    sections: "refusals inPlace moves protection several severalMoved dontUnmap duplicates files large watched",
  },
  brk: { sections: "moves refused blocked cut limited threads" },
  advise: {
    sections:
      "anonymous readable forbidden sharedAnonymous privateFile memoryFile sharedFile ranges dontNeed lazily populate removal locked",
  },
  sync: { sections: "syncing invalidating residency refusals" },
  lock: { sections: "locking kinds follows all limited" },
  limits: { sections: "space data stack values inherited others overcommit" },
  file: {
    sections: "coherent survives pastTheEnd shrinks replaced appended ontoItself copies forwards racing cutWhileRead",
  },
  shared: {
    sections: "anonymous apart memoryFiles seals futureWrites execution punched segments segmentErrors lowest",
  },
  fork: {
    sections:
      "copies generations advice wiped protection independent deaths vforked sharedSpace big forksWhileWriting forksTogether",
  },
  remote: {
    sections: "vectors faults kinds throughProc descriptors onItself barriers racing",
  },
  guard: { sections: "basics keptBy forked refusals calls ofFiles racing" },
  maps: { sections: "kinds merges moved names whole counts" },
  stack: { sections: "deep deaths overflow mended wide byTheKernel gap grownByTheKernel execution" },
  other: {
    sections: "remapFilePages seals cached policies pagesMoved controls secret faultDescriptors shadowStacks",
    absent: "seals cached policies pagesMoved controls secret faultDescriptors",
  },
};

/** Lines recorded elsewhere, by section. */
function recorded(name: string): ReadonlyMap<string, string> {
  const file = join(ROOT, "test/programs", `${name}.expected`);
  return existsSync(file) ? cut(readFileSync(file, "utf8").replace(/^#.*\n/gm, "")) : new Map();
}

describe.skipIf(process.env.FAULTLINE_FULL !== "1" || !comparable || process.arch !== "x64")(
  "memory calls, beside this kernel",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "faultline-memory-"));
    chmodSync(folder, 0o755);
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    const built = new Map<string, Program>();
    const program = (name: string): Program => {
      const known = built.get(name) ?? buildProgram(name, folder);
      built.set(name, known);
      return known;
    };

    /** All sections at once, which saves starts; what is told of a run that failed is only that. */
    const whole = new Map<string, Ran>();
    const runOf = (name: string, sections: readonly string[], policy: string): Ran => {
      const key = `${name} ${policy}`;
      const ran = whole.get(key) ?? runFaultline(program(name), sections, policy);
      whole.set(key, ran);
      return ran;
    };

    for (const [short, { sections, absent = "" }] of Object.entries(CASES)) {
      const name = `mem-${short}`;
      const refused = new Set(absent.split(" "));
      describe(name, () => {
        const elsewhere = recorded(name);
        test.for(sections.split(" ").flatMap((section) => POLICIES.map((policy) => [section, policy] as const)))(
          "%s: %s",
          { timeout: 360_000 },
          ([section, policy], { skip }) => {
            const user = UNPRIVILEGED.has(`${name} ${section}`) ? NOBODY : undefined;
            if (user !== undefined && !mayRun(user)) return skip("nobody may not enter this folder");
            const native = runNative(program(name), [section], user);
            expect(native.status).toBe(0);
            const here = native.sections.get(section);
            expect(here, `${name} has a section ${section}`).toBeDefined();
            const together = user === undefined ? runOf(name, sections.split(" "), policy) : undefined;
            const alone = () => runFaultline(program(name), [section], policy, { user });
            const got = together?.status === 0 ? together : alone();
            const want = refused.has(section) ? MISSING : here === MISSING ? elsewhere.get(section) : here;
            expect(want, `${name}.expected has a section ${section}`).toBeDefined();
            expect(got.sections.get(section)?.split("\n")).toEqual(want?.split("\n"));
            expect([got.status, got.stderr]).toEqual([0, ""]);
          },
        );
      });
    }
  },
);
