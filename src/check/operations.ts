/**
 * What an actor can do: each operation is the calls a guest thread's system call or access makes of the core, and what
 * it does to each page, for the oracle (history.ts).
 *
 * Accesses go the guest's way: this CPU's TLB, the walk, the fault, again (mm/uaccess.ts over mm/fill.ts). Every system
 * call ends in kernelExit, as in the machine: interrupts are taken and quiescence is stored there.
 */
import { Errno } from "../core/abi/errno.js";
import { Advice, MapFlag, MremapFlag } from "../core/abi/mman.js";
import { Pending } from "../core/abi/pending.js";
import type { Backing } from "./cell.js";
import type { Machine } from "./hooked.js";
import { pageIn } from "./host.js";
import { Violation } from "./violation.js";

export const PAGE = 4096;

export type Call = () => unknown;

/** What a call returned: an errno is negative; an access gives the byte, or EFAULT. */
export interface Outcome {
  result: number;
}

/** What an operation did to one page, to be put in some one-at-a-time order with the others. */
export type PageAction =
  | { kind: "map"; prot: number; backing?: Backing }
  | { kind: "unmap" }
  | {
      kind: "protect";
      prot: number /** False: a hole made the call fail, and this page may be as before. */;
      sure: boolean;
    }
  | { kind: "zero"; sure: boolean }
  | { kind: "read"; offset: number; value: number | undefined }
  | { kind: "write"; offset: number; value: number; done: boolean }
  /** The space was copied: the page, as it is, is also the child's. */
  | { kind: "fork"; child: number }
  /** The host wrote to the file, or read from it; a byte of the file was looked at. */
  | { kind: "store"; offset: number; value: number }
  | { kind: "look"; offset: number; value: number }
  /** The file has another size, within which the page is or is not; a hole was made of it. */
  | { kind: "resize"; inside: boolean }
  | { kind: "punch" }
  /** It is in this space (or at this place: fileOperations.ts) now, with its frame. */
  | { kind: "move"; to: number }
  /** Said that memory is used up, and did nothing. */
  | { kind: "oom" };

/** A page's address, what was done to it, and the number of the space, where it is not the CPU's own. */
export type Acted = [number, PageAction, number?];

export interface Operation {
  readonly text: string;
  /** It holds the lock of a leaf table and takes another's: why that closes no circle. */
  readonly twoLeaves?: string;
  calls(machine: Machine, cpu: number): Generator<Call, Outcome, unknown>;
  /** What it did to each page, given what the call returned. */
  actions(result: number): Acted[];
}

const FIXED = MapFlag.Private | MapFlag.Anonymous | MapFlag.Fixed;
const FAULTED = -Errno.EFAULT;
/** core/mm/uaccess.ts: NEED_IO, NEED_OOM. */
const NO_PAGE = -4100;
const NO_FRAME = -4101;
export const NO_MEMORY = -Errno.ENOMEM;

export function map(at: number, pages: number, prot: number): Operation {
  return call(
    `map ${range(at, pages)} ${rights(prot)}`,
    (m, cpu) => m.core.sysMmap(cpu, BigInt(at), bytes(pages), prot, FIXED, 0, 0n),
    (result) => eachPage(at, pages, result === at ? { kind: "map", prot } : noMemory(result)),
  );
}

export function unmap(at: number, pages: number): Operation {
  return call(
    `unmap ${range(at, pages)}`,
    (m, cpu) => m.core.sysMunmap(cpu, BigInt(at), bytes(pages)),
    (result) => eachPage(at, pages, result === 0 ? { kind: "unmap" } : noMemory(result)),
  );
}

export function protect(at: number, pages: number, prot: number): Operation {
  return call(
    `protect ${range(at, pages)} ${rights(prot)}`,
    (m, cpu) => m.core.sysMprotect(cpu, BigInt(at), bytes(pages), prot),
    (result) => eachPage(at, pages, { kind: "protect", prot, sure: result === 0 }),
  );
}

export function dontNeed(at: number, pages: number): Operation {
  return call(
    `dontneed ${range(at, pages)}`,
    (m, cpu) => m.core.sysMadvise(cpu, BigInt(at), bytes(pages), Advice.DontNeed),
    (result) => eachPage(at, pages, { kind: "zero", sure: result === 0 }),
  );
}

/** A view that no space has: the other place of a page that moves. */
const ELSEWHERE = 1000;

/** mremap to a place that is given. What is done there is told by elsewhere(). */
export function move(from: number, to: number, pages: number): Operation {
  return {
    ...call(
      `move ${range(from, pages)} to ${to.toString(16)}`,
      (m, cpu) => {
        const flags = MremapFlag.MayMove | MremapFlag.Fixed;
        return m.core.sysMremap(cpu, BigInt(from), bytes(pages), bytes(pages), flags, BigInt(to));
      },
      (result) => eachPage(from, pages, result === to ? { kind: "move", to: ELSEWHERE } : noMemory(result)),
    ),
    twoLeaves:
      "the lower address first, and nobody else takes two leaves of a space whose mmapLock is held for writing",
  };
}

/** An access at the place to which the page at `from` moves: of one page, so that its history is that page's. */
export function elsewhere(access: Operation, from: number): Operation {
  return { ...access, actions: (result) => access.actions(result).map(([, action]) => [from, action, ELSEWHERE]) };
}

/** Guards pages: whatever the mapping allows, an access is refused as if nothing were there. */
export function guard(at: number, pages: number): Operation {
  return call(
    `guard ${range(at, pages)}`,
    (m, cpu) => m.core.sysMadvise(cpu, BigInt(at), bytes(pages), Advice.GuardInstall),
    (result) => eachPage(at, pages, result === 0 ? { kind: "unmap" } : noMemory(result)),
  );
}

/** Takes the guards away from pages of a mapping with these rights: they are empty. */
export function unguard(at: number, pages: number, prot: number): Operation {
  return call(
    `unguard ${range(at, pages)}`,
    (m, cpu) => m.core.sysMadvise(cpu, BigInt(at), bytes(pages), Advice.GuardRemove),
    (result) => eachPage(at, pages, result === 0 ? { kind: "map", prot } : noMemory(result)),
  );
}

/** Moves the end of the heap from `from`, where this actor left it, to `to`. One actor of a scenario may use it. */
export function moveBrk(from: number, to: number, prot = 3): Operation {
  return call(
    `brk ${to.toString(16)}`,
    (m, cpu) => m.core.sysBrk(cpu, BigInt(to)),
    (result) => {
      if (result !== to) return [];
      if (to > from) return eachPage(from, (to - from) / PAGE, { kind: "map", prot });
      return eachPage(to, (from - to) / PAGE, { kind: "unmap" });
    },
  );
}

/** Drives grace periods and frees what they release. */
export function settle(rounds = 4): Operation {
  return call(
    "settle",
    (m, cpu) => m.core.settle(cpu, rounds),
    () => [],
  );
}

/** The CPU leaves the space and goes idle; no interrupt reaches it any more. */
export function leave(): Operation {
  return word("leave", (m, cpu) => m.core.cpuOffline(cpu));
}

/** The CPU comes online and joins the space. */
export function join(): Operation {
  return word("join", (m, cpu) => m.core.cpuOnline(cpu));
}

/** The CPU sleeps, idle, until another one wakes it, or for ever. */
export function sleep(): Operation {
  return {
    text: "sleep",
    *calls(m, cpu) {
      if (Number(yield () => m.core.sleep(cpu, -1n)) === 0) {
        throw new Violation("results", "a sleep without a time limit ended though nobody woke it");
      }
      return { result: 0 };
    },
    actions: () => [],
  };
}

/** Wakes the CPU of an actor. */
export function wake(actor: number): Operation {
  return word(`wake ${actor}`, (m) => m.core.post(m.plain.cpuArea(actor), Pending.Kick));
}

export function read(at: number): Operation {
  return reader("read", at, (m, cpu, to) => m.core.guestRead(cpu, to, BigInt(at), 1));
}

export function write(at: number, value: number): Operation {
  return writer("write", at, value, (m, cpu, from) => m.core.guestWrite(cpu, BigInt(at), from, 1));
}

/** By a CPU outside the cpumask of the space with that number (Scenario.away): process_vm_readv(2), ptrace(2). */
export function remoteRead(at: number, space = 0): Operation {
  const copy = (m: Machine, cpu: number, to: number) => m.core.remoteRead(cpu, m.host.spaces[space], to, BigInt(at), 1);
  return reader("remote read", at, copy, space);
}

export function remoteWrite(at: number, value: number, space = 0): Operation {
  const copy = (m: Machine, cpu: number, from: number) =>
    m.core.remoteWrite(cpu, m.host.spaces[space], BigInt(at), from, 1);
  return writer("remote write", at, value, copy, space);
}

/** Two bytes over the end of a page. The first page must stay writable: a refusal is the second one's. */
export function writeTwo(at: number, first: number, second: number): Operation {
  const done = { kind: "write", offset: at % PAGE, value: first, done: true } as const;
  return {
    text: `write ${at.toString(16)} ${first} ${second}`,
    *calls(m, cpu) {
      const bounce = m.plain.bounce(cpu);
      m.setByte(bounce, first);
      m.setByte(bounce + 1, second);
      const failed = yield* copied(m, cpu, () => m.core.guestWrite(cpu, BigInt(at), bounce, 2));
      yield () => m.core.kernelExit(cpu);
      return { result: failed };
    },
    actions: (result) => [
      [pageOf(at), done],
      [pageOf(at + 1), { kind: "write", offset: 0, value: second, done: result === 0 }],
    ],
  };
}

/** The copy, again and again while a page of a file is missing. */
function* copied(m: Machine, cpu: number, copy: () => bigint): Generator<Call, number, unknown> {
  for (;;) {
    const failed = Number(yield copy);
    if (failed !== NO_PAGE) return failed;
    yield* pageIn(m, cpu);
  }
}

function reader(
  verb: string,
  at: number,
  copy: (machine: Machine, cpu: number, bounce: number) => bigint,
  space?: number,
): Operation {
  return {
    text: `${verb} ${at.toString(16)}`,
    *calls(m, cpu) {
      const bounce = m.plain.bounce(cpu);
      const failed = yield* copied(m, cpu, () => copy(m, cpu, bounce));
      yield () => m.core.kernelExit(cpu);
      return { result: failed === 0 ? m.bytes[bounce] : failed };
    },
    actions: (result) => [
      [
        pageOf(at),
        result === NO_FRAME
          ? { kind: "oom" }
          : { kind: "read", offset: at % PAGE, value: result === FAULTED ? undefined : result },
        space,
      ],
    ],
  };
}

function writer(
  verb: string,
  at: number,
  value: number,
  copy: (machine: Machine, cpu: number, bounce: number) => bigint,
  space?: number,
): Operation {
  return {
    text: `${verb} ${at.toString(16)} ${value}`,
    *calls(m, cpu) {
      const bounce = m.plain.bounce(cpu);
      m.setByte(bounce, value);
      const failed = yield* copied(m, cpu, () => copy(m, cpu, bounce));
      yield () => m.core.kernelExit(cpu);
      return { result: failed };
    },
    actions: (result) => [
      [
        pageOf(at),
        result === NO_FRAME ? { kind: "oom" } : { kind: "write", offset: at % PAGE, value, done: result === 0 },
        space,
      ],
    ],
  };
}

/** A word of the core that no page is concerned by, and that is not followed by an exit from the kernel. */
function word(text: string, start: (machine: Machine, cpu: number) => unknown): Operation {
  return {
    text,
    *calls(m, cpu) {
      yield () => start(m, cpu);
      return { result: 0 };
    },
    actions: () => [],
  };
}

function call(
  text: string,
  start: (machine: Machine, cpu: number) => bigint | number,
  actions: (result: number) => Acted[],
): Operation {
  return {
    text,
    *calls(m, cpu) {
      const result = Number(yield () => start(m, cpu));
      yield () => m.core.kernelExit(cpu);
      return { result };
    },
    actions,
  };
}

export function eachPage(at: number, pages: number, action: PageAction | undefined): Acted[] {
  if (!action) return [];
  return Array.from({ length: pages }, (_, i): Acted => [at + i * PAGE, action]);
}

function noMemory(result: number): PageAction | undefined {
  return result === NO_MEMORY ? { kind: "oom" } : undefined;
}

function pageOf(at: number): number {
  return at - (at % PAGE);
}

function bytes(pages: number): bigint {
  return BigInt(pages * PAGE);
}

function range(at: number, pages: number): string {
  return `${at.toString(16)}+${pages}`;
}

function rights(prot: number): string {
  return ["r", "w", "x"].map((letter, i) => ((prot >> i) & 1 ? letter : "-")).join("");
}
