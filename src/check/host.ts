/**
 * The host beside the core: files, and what serves them; and which spaces there are.
 *
 *   actor ─► core.pageInBegin() ─► hostLock │ the file is read, frames are filled │ hostUnlock ─► core.pageInEnd()
 *
 * One thread serves every call about files (run/files): what it does for one is not interrupted by another. Here that is
 * a lock, of the hooked core, so that the strategies see who came first; what the host does of its own, to a file, happens at
 * the moment when the lock is taken. Copies between files and frames are events of the core, too.
 * Spaces have numbers: 0 is the first, others follow in the order in which they were made. Files and spaces are put back with
 * the memory.
 */
import { Errno } from "../core/abi/errno.js";
import type { Machine } from "./hooked.js";
import type { Call } from "./operations.js";
import type { FileAtStart } from "./scenario.js";
import { Violation } from "./violation.js";

const PAGE = 4096;
/** Pages that a file of a scenario may have at most. */
export const MOST_PAGES = 4;
/** Places in a CPU's bounce buffer, past what accesses use. */
const LIST = 0x4000;
const STAGE = 0x8000;
const LOCK_WORD = 0xf000;
const MOST = 16;
const EVERYTHING = 1n << 40n;

export interface HostFile {
  readonly id: number;
  /** Where its first page is mapped, wherever it is mapped. */
  readonly at: number;
  size: number;
  readonly bytes: Uint8Array;
}

type Part<T = void> = Generator<Call, T, unknown>;

export class Host {
  readonly files = new Map<number, HostFile>();
  readonly spaces: number[] = [];
  /** Of each CPU that made one: the number of the last copy. */
  readonly children = new Map<number, number>();
  #filesBefore: HostFile[] = [];
  #spacesBefore: number[] = [];

  add({ id, at, size, bytes }: FileAtStart): void {
    const held = new Uint8Array(MOST_PAGES * PAGE);
    for (const [offset, value] of bytes) held[offset] = value;
    this.files.set(id, { id, at, size, bytes: held });
  }

  file(id: number): HostFile {
    const found = this.files.get(id);
    if (!found) throw new Error(`no file ${id}`);
    return found;
  }

  /** Every execution begins so. */
  capture(): void {
    this.#filesBefore = [...this.files.values()].map((file) => ({ ...file, bytes: file.bytes.slice() }));
    this.#spacesBefore = [...this.spaces];
  }

  restore(): void {
    for (const { id, size, bytes } of this.#filesBefore) {
      const file = this.file(id);
      file.size = size;
      file.bytes.set(bytes);
    }
    this.spaces.splice(0, this.spaces.length, ...this.#spacesBefore);
    this.children.clear();
  }

  /** Number of the space that a CPU is in. */
  spaceOf(machine: Machine, cpu: number): number {
    return this.spaces.indexOf(machine.plain.spaceOf(cpu));
  }
}

/** What the host does without interruption: the part begins once the lock is taken. */
function* locked<T>(m: Machine, cpu: number, part: () => Part<T>): Part<T> {
  const word = m.plain.bounce(m.plain.cpuArea(0)) + LOCK_WORD;
  yield () => m.core.hostLock(cpu, word);
  const result = yield* part();
  yield () => m.core.hostUnlock(word);
  return result;
}

/** The host serves a call: `own`, what it does to its files; then what it asks of the core. */
export function asHost<T>(m: Machine, cpu: number, own: () => void, core?: () => T): Part<T | undefined> {
  return locked(m, cpu, function* (): Part<T | undefined> {
    own();
    return core && ((yield core) as T);
  });
}

/** Serves Exit.Io: a page of a file comes in, with those after it. */
export function* pageIn(m: Machine, cpu: number): Part {
  const { core, plain, words } = m;
  const list = plain.bounce(cpu) + LIST;
  const count = Number(yield () => core.pageInBegin(cpu, list, MOST));
  if (count <= 0) return;
  const offset = Number(plain.ioOffset(cpu));
  const file = m.host.file(plain.ioObject(cpu));
  let valid = 0;
  yield* locked(m, cpu, function* (): Part {
    for (; valid < count && offset + valid * PAGE < file.size; valid++) {
      const frame = words[(list >>> 2) + valid];
      stage(m, cpu, file.bytes.subarray(offset + valid * PAGE, offset + (valid + 1) * PAGE));
      yield () => core.hostCopy(frame, plain.bounce(cpu) + STAGE, PAGE);
    }
  });
  yield () => core.pageInEnd(cpu, list, count, valid);
}

/** Writes the dirty pages of a file back, as msync(2) and the release do. */
export function* writeBack(m: Machine, cpu: number, id: number): Part {
  const { core, plain, words, bytes } = m;
  const list = plain.bounce(cpu) + LIST;
  const staged = plain.bounce(cpu) + STAGE;
  for (let at = 0n; ; ) {
    const count = Number(yield () => core.writebackBegin(cpu, id, at, EVERYTHING, list));
    if (count === 0) return;
    const offset = Number(plain.ioOffset(cpu));
    const file = m.host.file(id);
    yield* locked(m, cpu, function* (): Part {
      for (let i = 0; i < count; i++) {
        const frame = words[(list >>> 2) + i];
        yield () => core.hostCopy(staged, frame, PAGE);
        const from = offset + i * PAGE;
        const upTo = Math.min(file.size - from, PAGE);
        if (upTo > 0) file.bytes.set(bytes.subarray(staged, staged + upTo), from);
      }
    });
    yield () => core.writebackEnd(cpu, list, count, count);
    at = BigInt(offset + count * PAGE);
  }
}

/** Ends what nothing maps any more: dirty pages go to the file first. */
export function* release(m: Machine, cpu: number): Part {
  const { core } = m;
  for (;;) {
    const id = Number(yield () => core.takeReleasedObject(cpu)) >>> 0;
    if (id === 0) return;
    yield* writeBack(m, cpu, id);
    yield () => core.forgetObject(cpu, id, 0);
  }
}

/** Opens a file for a mapping, makes it, and gives the reference back: what the machine does for mmap(2). */
export function* mapFile(m: Machine, cpu: number, id: number, map: () => bigint): Part<number> {
  const { core } = m;
  const file = m.host.file(id);
  const opened = yield* asHost(
    m,
    cpu,
    () => {},
    () => core.hostOpen(cpu, id, BigInt(file.size), BigInt(file.size)),
  );
  if (Number(opened) === 0) return -Errno.ENOMEM;
  const at = Number(yield map);
  yield () => core.closeObject(cpu, id);
  return at;
}

/** Runs an operation's part at once, with nobody listening. */
export function atOnce<T>(part: Part<T>): T {
  let step = part.next();
  while (!step.done) step = part.next(step.value());
  return step.value;
}

/** Puts a page's bytes where the host has them. */
function stage(m: Machine, cpu: number, page: Uint8Array): void {
  const at = m.plain.bounce(cpu) + STAGE;
  if (page.length !== PAGE) throw new Violation("bug", "a page past what the host keeps");
  m.bytes.set(page, at);
  m.snapshot.wrote(at, PAGE);
}
