/**
 * What an actor can do to files that are mapped, and to spaces: operations as in operations.ts, with the host's part of each
 * call done as host.ts draws it.
 *
 * A file is named by its id; its first page is mapped at its own place, in whatever space, so a byte of it is known by the
 * address at which it is seen. Who serves files is a CPU of its own, never online (Scenario.offline), or one that asks for itself.
 */
import { MapFlag } from "../core/abi/mman.js";
import { EVERYWHERE } from "./history.js";
import type { Machine } from "./hooked.js";
import { asHost, MOST_PAGES, mapFile as mapOpened, release as releaseAll, writeBack } from "./host.js";
import { type Acted, type Call, eachPage, NO_MEMORY, type Operation, type Outcome, PAGE, read } from "./operations.js";
import type { FileAtStart } from "./scenario.js";
import { Violation } from "./violation.js";

/** Maps pages of a file where its pages have their place. */
export function mapFile(
  file: FileAtStart,
  pages: number,
  prot: number,
  kind: "private" | "shared",
  first = 0,
): Operation {
  const at = file.at + first * PAGE;
  const flags = MapFlag.Fixed | (kind === "shared" ? MapFlag.Shared : MapFlag.Private);
  return {
    text: `map ${at.toString(16)}+${pages} of file ${file.id} ${kind}`,
    *calls(m, cpu) {
      const map = () =>
        m.core.sysMmap(cpu, BigInt(at), BigInt(pages * PAGE), prot, flags, file.id, BigInt(first * PAGE));
      const result = yield* mapOpened(m, cpu, file.id, map);
      if (result < 0) throw new Violation("results", `a file that is there can not be mapped: ${result}`);
      yield () => m.core.kernelExit(cpu);
      return { result };
    },
    actions: (result) => (result === at ? eachPage(at, pages, { kind: "map", prot, backing: kind }) : []),
  };
}

/** write(2), one byte: the file first, then what is cached of it. */
export function hostWrite(file: FileAtStart, offset: number, value: number): Operation {
  return {
    text: `host writes ${value} to file ${file.id} at ${offset}`,
    *calls(m, cpu) {
      const bounce = m.plain.bounce(cpu);
      m.setByte(bounce, value);
      const own = () => {
        m.host.file(file.id).bytes[offset] = value;
      };
      yield* asHost(m, cpu, own, () => m.core.hostWrite(cpu, file.id, BigInt(offset), bounce, 1));
      return { result: 0 };
    },
    actions: () => [[placeOf(file, offset), { kind: "store", offset: offset % PAGE, value }]],
  };
}

/** read(2), one byte: what the file has, and over it what is cached. */
export function hostRead(file: FileAtStart, offset: number): Operation {
  return {
    text: `host reads file ${file.id} at ${offset}`,
    *calls(m, cpu) {
      const bounce = m.plain.bounce(cpu);
      const own = () => m.setByte(bounce, m.host.file(file.id).bytes[offset]);
      yield* asHost(m, cpu, own, () => m.core.hostRead(cpu, file.id, BigInt(offset), bounce, 1));
      return { result: m.bytes[bounce] };
    },
    actions: (value) => [[placeOf(file, offset), { kind: "look", offset: offset % PAGE, value }]],
  };
}

/** ftruncate(2) to whole pages: the file and its size first, then the pages are taken out by who made the call. */
export function truncate(file: FileAtStart, pages: number): Operation {
  const size = pages * PAGE;
  return {
    text: `truncate file ${file.id} to ${pages} pages`,
    *calls(m, cpu) {
      const own = () => {
        const held = m.host.file(file.id);
        held.bytes.fill(0, Math.min(size, held.size));
        held.size = size;
      };
      yield* asHost(m, cpu, own, () => m.core.hostResize(cpu, file.id, BigInt(size)));
      yield () => m.core.trimObjects(cpu);
      yield () => m.core.kernelExit(cpu);
      return { result: 0 };
    },
    actions: () =>
      Array.from({ length: MOST_PAGES }, (_, i): Acted => [file.at + i * PAGE, { kind: "resize", inside: i < pages }]),
  };
}

/** MADV_REMOVE, fallocate(2): a hole, in the file and in its cache. */
export function punch(file: FileAtStart, first: number, pages: number): Operation {
  const from = first * PAGE;
  const end = (first + pages) * PAGE;
  return {
    text: `punch file ${file.id} ${first}+${pages}`,
    *calls(m, cpu) {
      const own = () => {
        m.host.file(file.id).bytes.fill(0, from, end);
      };
      yield* asHost(m, cpu, own, () => m.core.hostPunch(cpu, file.id, BigInt(from), BigInt(end)));
      yield () => m.core.punchObject(cpu, file.id, BigInt(from), BigInt(end));
      yield () => m.core.kernelExit(cpu);
      return { result: 0 };
    },
    actions: () => eachPage(file.at + from, pages, { kind: "punch" }),
  };
}

/** msync(2): what was stored before is in the file when it returns. `offset`: the byte that is looked at then, in the file. */
export function sync(file: FileAtStart, offset: number): Operation {
  return {
    text: `sync file ${file.id}`,
    *calls(m, cpu) {
      yield* writeBack(m, cpu, file.id);
      yield () => m.core.kernelExit(cpu);
      return { result: m.host.file(file.id).bytes[offset] };
    },
    actions: (value) => [[placeOf(file, offset), { kind: "look", offset: offset % PAGE, value }]],
  };
}

/** Ends the objects that nothing maps any more. */
export function release(): Operation {
  return {
    text: "release",
    *calls(m, cpu) {
      yield* releaseAll(m, cpu);
      yield () => m.core.kernelExit(cpu);
      return { result: 0 };
    },
    actions: () => [],
  };
}

/** fork(2)'s half of the memory. The child has the next number. */
export function fork(): Operation {
  return {
    text: "fork",
    twoLeaves: "the child's, which nobody but the reverse maps can reach, and who comes by them holds no leaf",
    *calls(m, cpu) {
      const child = Number(yield () => m.core.forkSpace(cpu));
      yield () => m.core.kernelExit(cpu);
      if (child < 0) return { result: NO_MEMORY };
      const number = m.host.spaces.push(child) - 1;
      m.host.children.set(cpu, number);
      return { result: number };
    },
    actions: (child) => (child > 0 ? [[EVERYWHERE, { kind: "fork", child }]] : []),
  };
}

/** The CPU runs the child that it made last, as the child's own thread will. */
export function enterChild(): Operation {
  return {
    text: "enter the child",
    *calls(m, cpu) {
      yield () => m.core.switchSpace(cpu, childOf(m, cpu));
      return { result: 0 };
    },
    actions: () => [],
  };
}

/** The process ends: its CPU leaves the space and gives the last reference back. */
export function exit(): Operation {
  return {
    text: "exit",
    *calls(m, cpu): Generator<Call, Outcome, unknown> {
      const number = m.host.spaceOf(m, cpu);
      const space = m.host.spaces[number];
      yield () => m.core.leaveSpace(cpu);
      yield* asHost(m, cpu, () => {
        m.host.spaces[number] = 0;
      });
      yield () => m.core.putSpace(cpu, space);
      yield () => m.core.kernelExit(cpu);
      return { result: 0 };
    },
    actions: () => [],
  };
}

/**
 * process_vm_readv(2) of a space whose process may end: with a reference, if there is one to be had. A read of a space that is gone
 * did nothing. Which processes there are is looked up under one lock (task/space.ts), which the host's stands for.
 */
export function heldRemoteRead(at: number, space: number): Operation {
  const GONE = -3;
  const offset = at % PAGE;
  return {
    text: `remote read ${at.toString(16)} of space ${space}`,
    *calls(m, cpu) {
      const { core } = m;
      const bounce = m.plain.bounce(cpu);
      let record = 0;
      const find = () => {
        record = m.host.spaces[space];
      };
      const held = yield* asHost(m, cpu, find, () => (record === 0 ? 0 : core.tryHoldSpace(record)));
      if (held === 0) return { result: GONE };
      const failed = Number(yield () => core.remoteRead(cpu, record, bounce, BigInt(at), 1));
      yield () => core.putSpace(cpu, record);
      yield () => core.kernelExit(cpu);
      return { result: failed === 0 ? m.bytes[bounce] : failed };
    },
    actions: (result) => {
      if (result === GONE) return [];
      return [[at - offset, { kind: "read", offset, value: result < 0 ? undefined : result }, space]];
    },
  };
}

/** Reads two places that the other actor wrote to one after the other, the later first: who has that has the other, too. */
export function readInOrder(later: number, earlier: number): Operation {
  const first = read(later);
  const second = read(earlier);
  return {
    text: `read ${later.toString(16)} and ${earlier.toString(16)}`,
    *calls(m, cpu) {
      const { result } = yield* first.calls(m, cpu);
      const before = yield* second.calls(m, cpu);
      if (result !== 0 && before.result === 0) {
        throw new Violation(
          "results",
          `${later.toString(16)} has what was stored after what ${earlier.toString(16)} lacks`,
        );
      }
      return { result };
    },
    actions: (result) => first.actions(result),
  };
}

function placeOf(file: FileAtStart, offset: number): number {
  return file.at + offset - (offset % PAGE);
}

function childOf({ host }: Machine, cpu: number): number {
  const number = host.children.get(cpu);
  if (number === undefined) throw new Error("no child was made");
  return host.spaces[number];
}
