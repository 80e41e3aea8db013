/** 1,024 CPUs: every word of the masks. One thread plays the CPUs that are asked: it answers where the sender would wait. */
import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { Counter } from "../src/core/abi/counter";
import { Errno } from "../src/core/abi/errno";
import { MapFlag, Prot } from "../src/core/abi/mman";
import { Most } from "../src/core/abi/most";
import { Pending } from "../src/core/abi/pending";
import { Step } from "../src/core/abi/step";
import { HookedCore, type Seam } from "../src/predict/core";
import { bootCore, mustHold, type TestCore } from "./support/core";

const PAGE = 4096n;
const STORE = 1;
/** The first and last bit of a word, of a line, of the mask. */
const AWAKE = [0, 63, 64, 255, 256, 511, 512, 1023];
const GLOBAL = 1;

interface Tasks {
  takeInterrupt(cpu: number, quiescent: boolean): void;
  takePending(cpu: number, bits: number): number;
  sysMembarrier(cpu: number, command: number, flags: number): bigint;
  cpuOffline(cpu: number): void;
  idleEnter(cpu: number): void;
}

describe("1,024 CPUs", () => {
  let t: TestCore;
  let tasks: Tasks;
  let page: bigint;
  let asked: number[];
  const area = (index: number) => t.core.cpuArea(index);
  const layout = layoutOf();

  beforeEach(() => {
    t = bootCore(128, Most.Cpus);
    tasks = t.core as unknown as Tasks;
    for (const index of AWAKE.slice(1)) t.core.cpuOnline(area(index));
    page = t.core.sysMmap(t.cpu, 0n, PAGE, Prot.Read | Prot.Write, MapFlag.Private | MapFlag.Anonymous, 0, 0n);
    for (const index of AWAKE) expect(t.core.fill(area(index), page, STORE)).toBe(0);
    asked = [];
    t.paused = (address) => {
      const index = Math.floor((address - area(0)) / layout["sync/cpu.ts"].CPU_BYTES);
      expect(AWAKE).toContain(index);
      asked.push(index);
      tasks.takeInterrupt(area(index), false);
    };
  });

  /** What a call by `index` asks of whom; nobody keeps a translation of what it removed. */
  function asks(index: number, call: (cpu: number) => bigint): number[] {
    asked = [];
    const before = t.core.counter(area(index), Counter.Ipis);
    expect(call(area(index))).toBe(0n);
    expect(t.core.counter(area(index), Counter.Ipis) - before).toBe(BigInt(asked.length));
    mustHold(t);
    return asked;
  }
  const unmap = (cpu: number) => t.core.sysMunmap(cpu, page, PAGE);
  const others = (index: number) => AWAKE.filter((other) => other !== index);

  test.each(AWAKE)("an unmap by CPU %i asks all the others that are in the space", (index) => {
    expect(asks(index, unmap)).toEqual(others(index));
    expect(tasks.takePending(area(index), Pending.Ack)).toBe(Pending.Ack);
  });

  test("two who ask one CPU at once are both answered, and by one flush", () => {
    const answer = t.paused!;
    const both = [512, 1023];
    t.paused = () => {
      // CPU 1023 waits for CPU 0; CPU 512 asks it, too.
      t.paused = () => {
        tasks.takeInterrupt(t.cpu, false);
        expect(both.map((index) => tasks.takePending(area(index), Pending.Ack))).toEqual(both.map(() => Pending.Ack));
        t.paused = answer;
      };
      expect(tasks.sysMembarrier(area(512), GLOBAL, 0)).toBe(0n);
    };
    expect(unmap(area(1023))).toBe(0n);
    expect(asked).not.toContain(0);
    mustHold(t);
  });

  test.each([64, 256, 1023])("CPU %i, once it left, is asked no more; back again, it is", (index) => {
    tasks.cpuOffline(area(index));
    expect(asks(0, unmap)).toEqual(others(0).filter((other) => other !== index));
    t.core.cpuOnline(area(index));
    expect(t.core.sysMmap(t.cpu, page, PAGE, Prot.Read, MapFlag.Private | MapFlag.Anonymous, 0, 0n)).toBe(page);
    for (const each of AWAKE) expect(t.core.fill(area(each), page, 0)).toBe(0);
    expect(asks(0, unmap)).toEqual(others(0));
  });

  test("an idle CPU is not waited for", () => {
    tasks.idleEnter(area(1023));
    expect(asks(0, unmap)).toEqual(others(0).filter((other) => other !== 1023));
  });

  test("a membarrier comes to every CPU that is awake", () => {
    tasks.idleEnter(area(256));
    expect(tasks.sysMembarrier(t.cpu, GLOBAL, 0)).toBe(0n);
    expect(asked).toEqual(others(0).filter((other) => other !== 256));
  });
});

test("a core boots with 1 to 1,024 CPUs", () => {
  expect(() => bootCore(128, Most.Cpus)).not.toThrow();
  for (const wrong of [0, Most.Cpus + 1]) expect(() => bootCore(128, wrong)).toThrow(`boot: ${-Errno.EINVAL}`);
});

test("a CPU is counted before it joins a cpumask: a sender that reads too few words read them before its bit", () => {
  const layout = layoutOf();
  const file = (name: string) => readFileSync(new URL(`../build/${name}`, import.meta.url));
  const bytes = 128 << 20;
  const hooked = new HookedCore(
    {
      hooked: new WebAssembly.Module(file("hooked.wasm")),
      core: new WebAssembly.Module(file("core.wasm")),
      sites: [],
      layout,
    },
    bytes,
    2,
  );
  hooked.plain.boot(bytes, Most.Cpus, 0, 0, 0, 0);
  const changed: number[] = [];
  const reached = (kind: number, address: number): boolean => {
    if (kind === Step.AtomicRmw || kind === Step.AtomicCmpxchg) changed.push(address);
    return false;
  };
  hooked.seam = { reached, marked: () => {} } as unknown as Seam;
  hooked.core.cpuOnline(hooked.plain.cpuArea(1023));
  const { H_CPUS_SEEN, SPACE } = layout["sync/layout.ts"];
  const lastWord = SPACE + layout["mm/space.ts"].S_CPUMASK + 15 * 8;
  expect(changed.filter((address) => address === H_CPUS_SEEN || address === lastWord)).toEqual([H_CPUS_SEEN, lastWord]);
});

function layoutOf(): Record<string, Record<string, number>> {
  return JSON.parse(readFileSync(new URL("../build/layout.json", import.meta.url), "utf8"));
}
