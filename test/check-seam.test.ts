/** The seam itself, on a core in miniature: every access is announced, before it happens, with its place and width. */
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { kindName } from "../src/check/event.js";
import { compile, type Linked, link } from "../tools/build-core.mjs";

type Words = Record<string, (...args: (number | bigint)[]) => number>;

let linked: Linked;
const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
const words = new Uint32Array(memory.buffer);
let events: string[] = [];

function instantiate(onStep: (kind: number, address: number) => void = () => {}): Words {
  words.fill(0);
  events = [];
  const mark = (name: string) => (cpu: number) => events.push(`${name} ${cpu}`);
  const env = {
    memory,
    step: (kind: number, address: number, width: number, site: number) => {
      expect(linked.sites[site].kind).toBe(kindName(kind));
      events.push(`${kindName(kind)} ${address}+${width}`);
      onStep(kind, address);
    },
    wait: (address: number, expected: bigint, timeoutNs: bigint, width: number) => {
      events.push(`wait ${address}+${width} while ${expected} for ${timeoutNs}`);
      return 2;
    },
    pause: mark("pause"),
    rcuEnter: mark("rcuEnter"),
    rcuExit: mark("rcuExit"),
  };
  return new WebAssembly.Instance(new WebAssembly.Module(linked.hooked), { env }).exports as unknown as Words;
}

beforeAll(async () => {
  const { binary } = await compile(join(import.meta.dirname, "fixtures/counter/index.ts"));
  linked = link(binary);
});

test("a locked addition: the lock's swap, the plain accesses past their offset, the unlock", () => {
  expect(instantiate().addLocked(4096, 64, 128, 1)).toBe(1);
  expect(events).toEqual(["AtomicCmpxchg 64+4", "Load 136+8", "Store 136+8", "AtomicStore 64+4", "Load 136+4"]);
});

test("an announcement comes before its access", () => {
  const seen: number[] = [];
  instantiate((_kind, address) => seen.push(words[address >> 2])).raise(256);
  expect(events).toEqual(["AtomicRmw 256+4", "Notify 256+4"]);
  expect(seen).toEqual([0, 1]);
});

test("a fill and a copy announce their ranges, the copy its reads and its writes", () => {
  instantiate().zeroAndCopy(512, 1024, 100);
  expect(events).toEqual(["Fill 512+100", "CopyFrom 1024+100", "CopyTo 512+100"]);
});

test("a wait is announced, and then left to the scheduler", () => {
  expect(instantiate().waitFor(256, 5, 1000n)).toBe(2);
  expect(events).toEqual(["Wait 256+4", "wait 256+4 while 5 for 1000"]);
});

test("markers stay in the hooked core and are gone from the shipping one", () => {
  instantiate().addRacy(7, 256, 1);
  expect(events).toEqual(["rcuEnter 7", "Load 256+4", "Store 256+4", "rcuExit 7", "Load 256+4"]);
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(linked.core)).map(({ name }) => name);
  expect(imports.sort()).toEqual(["memory", "pause"]);
});
