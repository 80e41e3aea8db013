/** What a hart does at the edges: two pages at once, refused accesses, reservations, code that changes, interrupts. */
import { beforeEach, describe, expect, test } from "vitest";
import { Cause, Exit, SegvCode } from "../src/core/abi/exit";
import { MapFlag, Prot } from "../src/core/abi/mman";
import { Pending } from "../src/core/abi/pending";
import * as asm from "./support/assemble";
import { bootCore, type TestCore } from "./support/core";

const CODE = 0x40_0000n;
const DATA = 0x80_0000n;
const PAGE = 4096n;
const ANON = MapFlag.Private | MapFlag.Anonymous | MapFlag.Fixed;
const RW = Prot.Read | Prot.Write;
const FUEL = 1000;
const [T0, T1, T2, A0, A1] = [5, 6, 7, 10, 11];

let machine: TestCore;

beforeEach(() => {
  machine = bootCore(8, 2);
});

function map(at: bigint, pages: bigint, prot: number): void {
  expect(machine.core.sysMmap(machine.cpu, at, pages * PAGE, prot, ANON, 0, 0n)).toBe(at);
}

function put(at: bigint, bytes: Uint8Array): void {
  const { core, cpu, memory } = machine;
  new Uint8Array(memory.buffer).set(bytes, core.bounce(cpu));
  expect(core.copyToUser(cpu, at, core.bounce(cpu), bytes.length)).toBe(0n);
}

function get(at: bigint, length: number): Uint8Array {
  const { core, cpu, memory } = machine;
  expect(core.copyFromUser(cpu, core.bounce(cpu), at, length)).toBe(0n);
  return new Uint8Array(memory.buffer).slice(core.bounce(cpu), core.bounce(cpu) + length);
}

/** Puts code at `at` and runs from there. */
function run(at: bigint, words: number[], registers: Record<number, bigint> = {}): number {
  put(at, asm.assemble(...words));
  return go(at, registers);
}

function go(at: bigint, registers: Record<number, bigint> = {}): number {
  const { core, cpu } = machine;
  for (const [register, value] of Object.entries(registers)) core.setX(cpu, Number(register), value);
  core.setPc(cpu, at);
  return core.hartRun(cpu, FUEL);
}

const x = (register: number): bigint => machine.core.getX(machine.cpu, register);
const pc = (): bigint => machine.core.getPc(machine.cpu);
const trap = () => {
  const { core, cpu } = machine;
  return [core.trapCause(cpu), core.trapValue(cpu), core.trapCode(cpu)];
};

describe("accesses across two pages", () => {
  beforeEach(() => {
    map(CODE, 2n, RW | Prot.Exec);
    map(DATA, 2n, RW);
  });

  test("a store and a load of eight bytes", () => {
    const at = DATA + PAGE - 3n;
    expect(run(CODE, [asm.sd(T0, A0, 0), asm.ld(T1, A0, 0), asm.ecall], { [T0]: 0x1122334455667788n, [A0]: at })).toBe(
      Exit.Ecall,
    );
    expect(x(T1)).toBe(0x1122334455667788n);
    expect([...get(at, 8)]).toEqual([0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]);
  });

  test("a store whose second page is refused leaves the first as it was", () => {
    put(DATA + PAGE - 4n, Uint8Array.of(1, 2, 3, 4));
    expect(machine.core.sysMprotect(machine.cpu, DATA + PAGE, PAGE, Prot.Read)).toBe(0n);
    expect(run(CODE, [asm.sd(T0, A0, 0), asm.ecall], { [T0]: -1n, [A0]: DATA + PAGE - 4n })).toBe(Exit.Trap);
    expect(trap()).toEqual([Cause.StorePage, DATA + PAGE, SegvCode.AccErr]);
    expect(pc()).toBe(CODE);
    expect([...get(DATA + PAGE - 4n, 4)]).toEqual([1, 2, 3, 4]);
  });

  test("a load whose second page is not mapped leaves its register as it was", () => {
    expect(run(CODE, [asm.ld(T1, A0, 0), asm.ecall], { [T1]: 7n, [A0]: DATA + 2n * PAGE - 2n })).toBe(Exit.Trap);
    expect(trap()).toEqual([Cause.LoadPage, DATA + 2n * PAGE, SegvCode.MapErr]);
    expect(x(T1)).toBe(7n);
  });

  test.each([0n, 2n])("instructions that begin %i bytes before the page's end go on behind it", (before) => {
    const at = CODE + PAGE - before;
    expect(run(at, [asm.addi(T0, 0, 5), asm.addi(T0, T0, 6), asm.sw(T0, A0, 1), asm.ecall], { [A0]: DATA })).toBe(
      Exit.Ecall,
    );
    expect([x(T0), get(DATA + 1n, 1)[0], pc()]).toEqual([11n, 11, at + 16n]);
  });

  test("an instruction whose second half is not executable is refused at that half", () => {
    put(CODE + PAGE - 2n, asm.assemble(asm.addi(T0, 0, 5)));
    expect(machine.core.sysMprotect(machine.cpu, CODE + PAGE, PAGE, RW)).toBe(0n);
    expect(go(CODE + PAGE - 2n, { [T0]: 1n })).toBe(Exit.Trap);
    expect(trap()).toEqual([Cause.FetchPage, CODE + PAGE, SegvCode.AccErr]);
    expect([x(T0), pc()]).toEqual([1n, CODE + PAGE - 2n]);
  });
});

describe("refusals", () => {
  beforeEach(() => map(CODE, 1n, RW | Prot.Exec));

  test("a jump to where nothing is faults at the target", () => {
    expect(run(CODE, [asm.jalr(1, A0)], { [A0]: 0xdead000n })).toBe(Exit.Trap);
    expect(trap()).toEqual([Cause.FetchPage, 0xdead000n, SegvCode.MapErr]);
    expect([pc(), x(1)]).toEqual([0xdead000n, CODE + 4n]);
  });

  test("an address beyond the address space is refused, not wrapped", () => {
    expect(run(CODE, [asm.ld(T1, A0, 0)], { [A0]: (1n << 39n) | DATA })).toBe(Exit.Trap);
    expect(trap()).toEqual([Cause.LoadPage, (1n << 39n) | DATA, SegvCode.MapErr]);
  });

  test("illegal words, of two bytes and of four", () => {
    expect(run(CODE, [0x0000])).toBe(Exit.Trap);
    expect(trap().slice(0, 2)).toEqual([Cause.Illegal, 0n]);
    expect(run(CODE, [0x3020_0073])).toBe(Exit.Trap); // mret
    expect(trap().slice(0, 2)).toEqual([Cause.Illegal, 0x3020_0073n]);
    expect(pc()).toBe(CODE);
  });

  test("ebreak stops at itself", () => {
    expect(run(CODE, [asm.cNop, asm.ebreak])).toBe(Exit.Trap);
    expect([trap()[0], pc()]).toEqual([Cause.Breakpoint, CODE + 2n]);
  });

  test("atomics must be aligned: nothing is changed otherwise", () => {
    map(DATA, 1n, RW);
    for (const [word, cause] of [
      [asm.amoaddD(T1, T0, A0), Cause.StoreMisaligned],
      [asm.lrD(T1, A0), Cause.LoadMisaligned],
      [asm.scD(T1, T0, A0), Cause.StoreMisaligned],
    ] as const) {
      expect(run(CODE, [word], { [T0]: 3n, [T1]: 9n, [A0]: DATA + 4n })).toBe(Exit.Trap);
      expect([trap()[0], trap()[1], x(T1)]).toEqual([cause, DATA + 4n, 9n]);
    }
    expect([...get(DATA, 12)].every((byte) => byte === 0)).toBe(true);
  });
});

describe("reservations", () => {
  beforeEach(() => {
    map(CODE, 1n, RW | Prot.Exec);
    map(DATA, 1n, RW);
  });

  /** LR of A0, then `between`, then SC of T2 to A1; the success word (0: stored). */
  function scAfter(between: number[], scAt = DATA): bigint {
    const words = [asm.lrD(T0, A0), ...between, asm.scD(T1, T2, A1), asm.ecall];
    expect(run(CODE, words, { [A0]: DATA, [A1]: scAt, [T2]: 42n })).toBe(Exit.Ecall);
    return x(T1);
  }

  test("LR then SC stores", () => {
    expect([scAfter([]), get(DATA, 1)[0]]).toEqual([0n, 42]);
  });

  test("SC fails without LR, a second time, at another address, and when the value changed", () => {
    machine.core.clearReservation(machine.cpu);
    expect(run(CODE, [asm.scD(T1, T2, A1), asm.ecall], { [A1]: DATA, [T2]: 1n })).toBe(Exit.Ecall);
    expect(x(T1)).toBe(1n);
    expect(scAfter([asm.scD(0, T2, A1)])).toBe(1n);
    expect(scAfter([], DATA + 8n)).toBe(1n);
    expect(scAfter([asm.addi(A1, A1, 0), asm.sd(A0, A0, 0)])).toBe(1n);
    expect(get(DATA + 8n, 1)[0]).toBe(0);
  });

  test("SC to a page that became read-only is refused", () => {
    expect(run(CODE, [asm.lrD(T0, A0), asm.ecall], { [A0]: DATA })).toBe(Exit.Ecall);
    expect(machine.core.sysMprotect(machine.cpu, DATA, PAGE, Prot.Read)).toBe(0n);
    expect(run(CODE, [asm.scD(T1, T2, A0)], { [A0]: DATA, [T2]: 1n })).toBe(Exit.Trap);
    expect(trap()).toEqual([Cause.StorePage, DATA, SegvCode.AccErr]);
  });
});

test("code that the hart itself changed runs changed after FENCE.I", () => {
  map(CODE, 1n, RW | Prot.Exec);
  const patched = BigInt(asm.addi(T0, 0, 2));
  const words = [asm.sw(T1, A0, 8), asm.fenceI, asm.addi(T0, 0, 1), asm.ecall];
  expect(run(CODE, words, { [T1]: patched, [A0]: CODE })).toBe(Exit.Ecall);
  expect(x(T0)).toBe(2n);
});

describe("interrupts", () => {
  beforeEach(() => map(CODE, 1n, RW | Prot.Exec));

  test("a loop on itself answers a kick", () => {
    const { core, cpu } = machine;
    core.post(cpu, Pending.Kick);
    expect(run(CODE, [asm.jal(0, 0)])).toBe(Exit.Kick);
    expect(pc()).toBe(CODE);
  });

  test("a loop on itself answers the end of its budget", () => {
    expect(run(CODE, [asm.bne(A0, 0, 0)], { [A0]: 1n })).toBe(Exit.Fuel);
    expect(pc()).toBe(CODE);
  });

  test("a translation that another thread took away is gone after the poll", () => {
    const { core, cpu } = machine;
    map(DATA, 1n, RW);
    expect(run(CODE, [asm.lw(T0, A0, 0), asm.ecall], { [A0]: DATA })).toBe(Exit.Ecall);
    core.idleEnter(cpu);
    const other = core.cpuArea(1);
    core.cpuOnline(other);
    expect(core.sysMunmap(other, DATA, PAGE)).toBe(0n);
    core.cpuOffline(other);
    core.idleLeave(cpu);
    expect(run(CODE, [asm.lw(T0, A0, 0), asm.ecall], { [A0]: DATA })).toBe(Exit.Trap);
    expect(trap()).toEqual([Cause.LoadPage, DATA, SegvCode.MapErr]);
  });
});
