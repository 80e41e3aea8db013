/**
 * Programs of ours that use what pthreads, signals, the address space and files offer: what they print, and how they
 * end, must be byte for byte what it is on this machine's own kernel and under qemu-riscv64.
 *
 * Where the two disagree with each other, the kernel is right: sections that the emulator gets wrong are left to the
 * kernel alone, each with its reason. Floating point is compared with the emulator alone: another architecture rounds
 * the same, but has other NaNs and other results for conversions that overflow.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { buildProgram, comparable, type Program, runEmulator, runFaultline, runNative } from "../support/programs";

const POLICIES = ["optimistic", "mmap-lock"];
/** Version 6.17 is 6017. */
const KERNEL = release()
  .split(".")
  .slice(0, 2)
  .reduce((version, part) => version * 1000 + Number.parseInt(part, 10), 0);

interface Case {
  readonly name: string;
  readonly sections: readonly string[];
  /** Left to the kernel, because qemu 7.2 … */
  readonly emulatorFails?: Readonly<Record<string, string>>;
  /** The whole program is left to the kernel, because qemu 7.2 … */
  readonly kernelOnly?: string;
  /** Sections whose answers depend on the architecture: the emulator alone. */
  readonly riscvOnly?: boolean;
  /** Sections whose answers an older kernel gives otherwise: the first version, times 1000. */
  readonly since?: Readonly<Record<string, number>>;
}

const CASES: readonly Case[] = [
  {
    name: "locks",
    sections: ["mutexes", "recursive", "errorcheck", "timed", "robust", "spins", "readWrite", "writersFirst"],
  },
  { name: "waits", sections: ["signals", "broadcast", "timeouts", "queue", "barriers", "semaphores", "once"] },
  {
    name: "threads",
    sections: ["keys", "threadLocal", "attributes", "guardPage", "joins", "many", "names", "c11"],
  },
  { name: "cancel", sections: ["deferred", "disabled", "asynchronous", "handlers", "targeted", "queued"] },
  {
    name: "memory",
    sections: [
      "places",
      "errors",
      "splits",
      "reservation",
      "dontNeed",
      "heap",
      "growsDown",
      "stack",
      "fileMapping",
      "allocations",
    ],
    emulatorFails: {
      places: "ignores MAP_FIXED_NOREPLACE",
      errors: "stops on an assertion when a fixed address is too high",
    },
  },
  {
    name: "remap",
    sections: [
      "resizes",
      "moves",
      "several",
      "leavesBehind",
      "refusals",
      "locks",
      "limits",
      "advice",
      "populates",
      "syncs",
      "mappings",
      "barriers",
      "guards",
      "remote",
      "beside",
    ],
    kernelOnly: "has page tables that are not a kernel's",
    since: { several: 6017, refusals: 6017, advice: 6007, guards: 6013 },
  },
  {
    name: "signals",
    sections: ["faults", "traps", "restarts", "altStack", "nesting", "masks", "restart", "threads", "handoff"],
    emulatorFails: { nesting: "delivers a signal of sa_mask inside the handler that masks it" },
  },
  {
    name: "timers",
    sections: ["once", "overruns", "toThread", "toFunction", "nobody", "alarms", "errors", "interrupts"],
  },
  {
    name: "processes",
    emulatorFails: {
      waitIds: "leaves si_status as it was where waitid finds nobody",
      byDescriptor: "leaves si_status as it was where waitid finds nobody",
      children: "keeps zombies of who ignores SIGCHLD",
    },
    sections: [
      "codes",
      "copies",
      "generations",
      "many",
      "waits",
      "waitIds",
      "byDescriptor",
      "children",
      "restartsWaits",
      "pipes",
      "files",
      "kills",
      "queues",
      "zombies",
      "groups",
      "orphans",
      "threads",
      "forksByThreads",
      "sharedMemory",
      "alarms",
      "inherits",
    ],
  },
  {
    name: "execs",
    sections: [
      "arguments",
      "inheritance",
      "descriptors",
      "threads",
      "errors",
      "scripts",
      "spawns",
      "vforks",
      "cloneErrors",
      "sharing",
      "kinds",
      "limits",
      "pidfds",
    ],
    since: { pidfds: 6009 },
    kernelOnly:
      "executes itself for /proc/self/exe, copies memory for vfork, and refuses CLONE_VM without CLONE_THREAD",
  },
  { name: "hammer", sections: ["slots", "anywhere"] },
  {
    name: "files",
    sections: ["transfers", "names", "descriptors", "pipes", "pipeFaults", "brokenPipe", "streams", "machine"],
    emulatorFails: { pipeFaults: "refuses a buffer that is not good to its end" },
  },
  {
    name: "float",
    sections: ["functions", "pairs", "arithmetic", "single", "conversions", "environment"],
    riscvOnly: true,
  },
];

/** How a program may die, and the status a shell shows. */
const DEATHS = ["SEGV", "BUS", "ILL", "TRAP", "ABRT", "FPE", "USR1", "KILL", "blocked", "stack", "thread"];

describe.skipIf(process.env.FAULTLINE_FULL !== "1" || !comparable)("programs, beside this kernel and qemu", () => {
  const folder = mkdtempSync(join(tmpdir(), "faultline-programs-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const built = new Map<string, Program>();
  const program = (name: string): Program => {
    const known = built.get(name) ?? buildProgram(name, folder, name === "pie");
    built.set(name, known);
    return known;
  };
  const kernelIsHere = process.arch === "x64" || process.arch === "riscv64";

  describe.each(CASES)("$name", ({ name, sections: all, emulatorFails = {}, riscvOnly, kernelOnly, since = {} }) => {
    const sections = all.filter((section) => (since[section] ?? 0) <= KERNEL);
    const shared = sections.filter((section) => !(section in emulatorFails));

    test.skipIf(riscvOnly || kernelOnly !== undefined || !kernelIsHere)(
      "the kernel agrees with the emulator",
      { timeout: 360_000 },
      () => {
        const kernel = runNative(program(name), shared);
        const emulator = runEmulator(program(name), shared);
        expect([...emulator.sections]).toEqual([...kernel.sections]);
        expect([emulator.status, kernel.status]).toEqual([0, 0]);
      },
    );

    test.skipIf(kernelOnly && !kernelIsHere).each(POLICIES)("%s", { timeout: 360_000 }, (policy) => {
      const reference = riscvOnly || !kernelIsHere ? runEmulator : runNative;
      const compared = reference === runEmulator ? shared : sections;
      const want = reference(program(name), compared);
      const got = runFaultline(program(name), compared, policy);
      expect([...want.sections.keys()].filter((section) => section !== "")).toEqual(compared);
      for (const [section, text] of want.sections)
        expect([section, got.sections.get(section)]).toEqual([section, text]);
      expect([got.status, got.stderr]).toEqual([want.status, ""]);
    });
  });

  test.each(DEATHS)("dies as it should: %s", { timeout: 180_000 }, (death) => {
    const want = runEmulator(program("signals"), ["die", death]);
    expect(want.status).toBeGreaterThan(128);
    for (const policy of POLICIES) {
      const got = runFaultline(program("signals"), ["die", death], policy);
      expect([policy, got.status, got.sections, got.stderr]).toEqual([policy, want.status, want.sections, ""]);
    }
  });

  test.each(POLICIES)("a static PIE that relocates itself: %s", { timeout: 180_000 }, (policy) => {
    const args = ["a", "b c"];
    const want = runEmulator(program("pie"), args);
    const got = runFaultline(program("pie"), args, policy);
    expect(got).toEqual(want);
    expect(got.status).toBe(33);
    if (kernelIsHere) expect(got).toEqual(runNative(program("pie"), args));
  });
});
