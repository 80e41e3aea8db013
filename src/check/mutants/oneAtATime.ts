/**
 * A core driven by one CPU, one call after another, compared with a model of pages after each: what kills the mutants that are
 * wrong without any race.
 *
 *   40 pages over the edge of a leaf table, each: prot, byte, and for a page of a file what the file has there
 *   calls   map (fixed, no replace, of a file, populated, anywhere), unmap, protect, dontneed, move, brk, read, write, remote read and
 *           write; now and then most of the memory at once
 *
 * Promise    a core that is right passes for every seed. At the end everything is unmapped, and frames and records are back.
 * Runs on    the shipping module, so nothing is scheduled; a wait is a violation.
 */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { Errno } from "../../core/abi/errno.js";
import { Access, Cause, Exit, SegvCode } from "../../core/abi/exit.js";
import {
  Advice,
  type Layout,
  MapFlag,
  MremapFlag,
  type Policy,
  Pretouch,
  Prot,
  type Tables,
} from "../../core/abi/mman.js";
import { Stat } from "../../core/abi/stat.js";
import { type CoreBuild, Machine } from "../hooked.js";
import { framesOf, mustConserve, mustHoldAtRest } from "../invariants.js";
import { Violation } from "../violation.js";

const PAGES = 40;
const PAGE = 4096;
const FIRST = 0x4020_0000 - 16 * PAGE;
/** The byte of each page that is looked at. */
const OFFSET = 77;
const BYTES = 4 << 20;
const STEPS = 60;
const CPUS = 3;
const HEAP = 0x5000_0000;
/** More are never kept for the tables that a run needs at one time. */
const MOST_HELD = 160;
const LAST_PAGE = 2 ** 38 - PAGE;
const CROWD = 0x601f_0000;
const SPREAD = 0x7000_0000;
const MANY = 0x9000_0000;
const MAPPINGS = 300;
const TABLE_SPAN = 512 * PAGE;
const TABLES = 36;
const PROTS = [0, 1, 3, 3, 3, 5, 7, 4, 2];
/** core/mm/uaccess.ts */
const NEED_IO = -4100;
const FIXED = MapFlag.Private | MapFlag.Anonymous | MapFlag.Fixed;

interface Page {
  prot: number;
  value: number;
  /** What is there when the page is read in. */
  initial: number;
}

/** All that can be mapped. */
const LOWEST = 65536n;
const TASK_SIZE = 1n << 38n;
/** A file that only refused calls name, and one that there never is. */
const LONE_FILE = 999_999;
const NO_FILE = 999_998;

/** Words of the shipping core beside those that scenarios use. */
interface MoreWords {
  fill(cpu: number, va: bigint, access: number): number;
  trapCause(cpu: number): number;
  trapCode(cpu: number): number;
  trapValue(cpu: number): bigint;
  idleEnter(cpu: number): void;
  idleLeave(cpu: number): void;
  pageInBegin(cpu: number, list: number, most: number): number;
  pageInEnd(cpu: number, list: number, count: number, valid: number): void;
  hostOpen(cpu: number, object: number, size: bigint, dataEnd: bigint): number;
  closeObject(cpu: number, object: number): void;
  forgetObject(cpu: number, object: number, lost: number): number;
  ioObject(cpu: number): number;
  ioOffset(cpu: number): bigint;
  takeReleasedObject(cpu: number): number;
}

/** Throws a Violation when the core is not what the model says. */
export function oneAtATime(build: CoreBuild, policy: Policy, tables: Tables, layout: Layout, seed: number): void {
  new Drive(build, policy, tables, layout, seed).run();
}

class Drive {
  readonly #machine: Machine;
  readonly #random: RandomGenerator;
  readonly #pages: (Page | undefined)[] = new Array(PAGES).fill(undefined);
  readonly #cpu: number;
  readonly #remote: number;
  readonly #frames: number;
  #objects = 0;
  #brk = HEAP;

  constructor(build: CoreBuild, policy: Policy, tables: Tables, layout: Layout, seed: number) {
    this.#machine = new Machine(build, BYTES, CPUS);
    this.#machine.boot(BYTES, CPUS, policy, tables, layout, Pretouch.None);
    this.#frames = framesOf(this.#machine);
    const { plain } = this.#machine;
    [this.#cpu, this.#remote] = [plain.cpuArea(0), plain.cpuArea(1)];
    plain.cpuOnline(this.#cpu);
    plain.cpuOnline(this.#remote);
    plain.leaveSpace(this.#remote);
    // A second user of the space, asleep: with one alone spf does not speculate.
    const asleep = plain.cpuArea(2);
    plain.cpuOnline(asleep);
    this.#words.idleEnter(asleep);
    plain.setBrk(plain.cpuArea(0), BigInt(HEAP));
    this.#random = xoroshiro128plus(Math.imul(seed + 1, 0x9e3779b1));
  }

  get #words(): MoreWords {
    return this.#machine.plain as unknown as MoreWords;
  }

  run(): void {
    for (let i = 0; i < STEPS; i++) {
      this.#step();
      for (const cpu of [this.#cpu, this.#remote]) this.#machine.plain.kernelExit(cpu);
      mustHoldAtRest(this.#machine);
    }
    for (let i = 0; i < PAGES; i++) this.#read(i, false);
    this.#must("unmap all", Number(this.#machine.plain.sysMunmap(this.#cpu, LOWEST, TASK_SIZE - LOWEST)), 0);
    this.#mustRelease();
    mustConserve(this.#machine, CPUS, this.#frames);
    this.#must("tables left", this.#machine.plain.stat(Stat.FramesTable), 1);
    const held = this.#machine.plain.stat(Stat.FramesHeld);
    if (held > MOST_HELD) throw new Violation("leak", `${held} frames are kept for tables`);
  }

  #step(): void {
    const [first, n] = [this.#draw(PAGES), 1 + this.#draw(12)];
    const range = Array.from({ length: Math.min(n, PAGES - first) }, (_, i) => first + i);
    const steps = [
      () => this.#map(range, PROTS[this.#draw(PROTS.length)]),
      () => this.#mapFile(range, PROTS[this.#draw(PROTS.length)]),
      () => this.#mapAnywhere(range.length),
      () => this.#unmap(range),
      () => this.#unmap(range),
      () => this.#protect(range, PROTS[this.#draw(PROTS.length)]),
      () => this.#protect(range, PROTS[this.#draw(PROTS.length)]),
      () => this.#dontNeed(range),
      () => this.#move(range, this.#draw(PAGES)),
      () => this.#moveBrk(this.#draw(6)),
      () => this.#crowd(100 + this.#draw(600)),
      () => this.#spread(),
      () => this.#many(),
      () => this.#refused(),
      () => this.#execute(first),
      ...[0, 1, 2, 3, 4].map(() => () => this.#write(first, 1 + this.#draw(255), this.#draw(4) === 0)),
      ...[0, 1, 2].map(() => () => this.#read(first, this.#draw(4) === 0)),
    ];
    steps[this.#draw(steps.length)]();
  }

  #map(range: number[], prot: number): void {
    const careful = this.#draw(4) === 0;
    const type = this.#draw(4) === 0 ? MapFlag.Shared : MapFlag.Private;
    const flags = type | MapFlag.Anonymous | (careful ? MapFlag.FixedNoReplace : MapFlag.Fixed);
    const got = this.#mmap(range, prot, flags | (this.#draw(4) === 0 ? MapFlag.Populate : 0), 0, 0);
    const taken = careful && range.some((i) => this.#pages[i]);
    this.#must("map", got, taken ? -Errno.EEXIST : at(range[0]));
    if (taken) return;
    for (const i of range) this.#pages[i] = { prot, value: 0, initial: 0 };
  }

  #mapFile(range: number[], prot: number): void {
    const object = ++this.#objects;
    const page = this.#draw(4);
    const flags = MapFlag.Private | MapFlag.Fixed;
    this.#must("map of a file", this.#mmap(range, prot, flags, object, page * PAGE), at(range[0]));
    range.forEach((i, k) => {
      const initial = inFile(object, page + k);
      this.#pages[i] = { prot, value: initial, initial };
    });
  }

  /** Three mappings where the core likes, each below the last; the middle one's hole is found again, exactly. */
  #mapAnywhere(n: number): void {
    const { plain, bytes } = this.#machine;
    const bounce = plain.bounce(this.#cpu);
    const sizes = [n, 1 + this.#draw(9), 1 + this.#draw(9)];
    const anywhere = (pages: number) => {
      const flags = MapFlag.Private | MapFlag.Anonymous;
      return Number(plain.sysMmap(this.#cpu, 0n, BigInt(pages * PAGE), 3, flags, 0, 0n));
    };
    const unmap = (from: number, pages: number) =>
      this.#must("unmap", Number(plain.sysMunmap(this.#cpu, BigInt(from), BigInt(pages * PAGE))), 0);
    const put = (from: number, byte: number) => {
      bytes[bounce] = byte;
      this.#must("write", Number(plain.guestWrite(this.#cpu, BigInt(from), bounce, 1)), 0);
    };
    const got = (from: number) => {
      this.#must("read", Number(plain.guestRead(this.#cpu, bounce, BigInt(from), 1)), 0);
      return bytes[bounce];
    };
    const [a, b, c] = sizes.map(anywhere);
    if (a <= 0 || a % PAGE !== 0) throw new Violation("results", `a mapping anywhere was put at ${a}`);
    this.#must("place below a mapping", b, a - sizes[1] * PAGE);
    this.#must("place below two mappings", c, b - sizes[2] * PAGE);
    put(a, 1);
    put(b, 2);
    put(c, 3);
    unmap(b, sizes[1]);
    this.#must("place in a hole that just fits", anywhere(sizes[1]), b);
    this.#must("bytes beside and in the hole", [a, b, c].map(got).join(), "1,0,3");
    unmap(c, sizes[0] + sizes[1] + sizes[2]);
    const last = LAST_PAGE;
    const there = Number(
      plain.sysMmap(this.#cpu, BigInt(last), BigInt(PAGE), 3, MapFlag.Private | MapFlag.Anonymous, 0, 0n),
    );
    this.#must("hint at the last page", there, last);
    unmap(last, 1);
  }

  #moveBrk(pages: number): void {
    const { plain, bytes } = this.#machine;
    const end = HEAP + pages * PAGE + (pages > 0 && this.#draw(3) === 0 ? 100 - PAGE : 0);
    this.#must("brk", Number(plain.sysBrk(this.#cpu, BigInt(end))), end);
    const bounce = plain.bounce(this.#cpu);
    for (let page = HEAP; page < HEAP + 6 * PAGE; page += PAGE) {
      const got = Number(plain.guestRead(this.#cpu, bounce, BigInt(page), 1));
      this.#must("read of the heap", got, page < end ? 0 : -Errno.EFAULT);
      if (page >= this.#brk && page < end) this.#must("byte of the heap", bytes[bounce], 0);
      bytes[bounce] = 1;
      if (page < end) this.#must("write of the heap", Number(plain.guestWrite(this.#cpu, BigInt(page), bounce, 1)), 0);
    }
    this.#brk = end;
  }

  /** Most of the memory at once, by two CPUs: bundles of frames, a gather that fills up, what another CPU keeps. */
  #crowd(pages: number): void {
    const { plain, bytes } = this.#machine;
    const whole = BigInt(pages * PAGE);
    const flags = this.#draw(2) === 0 ? FIXED : FIXED | MapFlag.Populate;
    this.#must("map", Number(plain.sysMmap(this.#cpu, BigInt(CROWD), whole, 3, flags, 0, 0n)), CROWD);
    for (let i = 0; i < pages; i++) {
      const remote = i % 50 > 40;
      const cpu = remote ? this.#remote : this.#cpu;
      const bounce = plain.bounce(cpu);
      bytes[bounce] = i & 255;
      const copy = this.#writer(remote);
      this.#must("write", Number(copy(cpu, BigInt(CROWD + i * PAGE), bounce, 1)), 0);
    }
    const [from, upTo] = [this.#draw(pages), pages];
    const part = BigInt((upTo - from) * PAGE);
    const gone = this.#draw(2) === 0;
    const got = gone
      ? plain.sysMunmap(this.#cpu, BigInt(CROWD + from * PAGE), part)
      : plain.sysMadvise(this.#cpu, BigInt(CROWD + from * PAGE), part, Advice.DontNeed);
    this.#must(gone ? "unmap" : "dontneed", Number(got), 0);
    for (let i = 0; i < pages; i += 1 + this.#draw(9)) {
      const bounce = plain.bounce(this.#cpu);
      const failed = Number(plain.guestRead(this.#cpu, bounce, BigInt(CROWD + i * PAGE), 1));
      this.#must("read", failed, gone && i >= from ? -Errno.EFAULT : 0);
      if (failed === 0) this.#must(`byte of page ${i} of many`, bytes[bounce], i < from ? i & 255 : 0);
    }
    this.#must("unmap", Number(plain.sysMunmap(this.#cpu, BigInt(CROWD), whole)), 0);
  }

  /** So many mappings that the tree of them grows a level, and shrinks. */
  #many(): void {
    const { plain } = this.#machine;
    const place = (i: number) => BigInt(MANY + 2 * i * PAGE);
    const bounce = plain.bounce(this.#cpu);
    const there = new Array<boolean>(MAPPINGS).fill(true);
    for (let i = 0; i < MAPPINGS; i++) {
      const mapped = Number(plain.sysMmap(this.#cpu, place(i), BigInt(PAGE), 1, FIXED, 0, 0n));
      this.#must("map", mapped, MANY + 2 * i * PAGE);
    }
    mustHoldAtRest(this.#machine);
    for (let round = 0; round < 20; round++) {
      const [from, n] = [this.#draw(MAPPINGS), 1 + this.#draw(30)];
      this.#must("unmap", Number(plain.sysMunmap(this.#cpu, place(from), BigInt(2 * n * PAGE))), 0);
      there.fill(false, from, from + n);
      mustHoldAtRest(this.#machine);
      for (let k = 0; k < MAPPINGS; k += 1 + this.#draw(20)) {
        const got = Number(plain.guestRead(this.#cpu, bounce, place(k), 1));
        this.#must("read of one of many mappings", got, there[k] ? 0 : -Errno.EFAULT);
      }
    }
    this.#must("unmap", Number(plain.sysMunmap(this.#cpu, place(0), BigInt(2 * (MAPPINGS + 30) * PAGE))), 0);
    for (let round = 0; round < 4; round++) {
      plain.settle(this.#cpu, 1);
      plain.kernelExit(this.#remote);
    }
  }

  /** One page in each of many leaf tables, which go in another order: the allocator of tables. */
  #spread(): void {
    const { plain, bytes } = this.#machine;
    const place = (i: number) => BigInt(SPREAD + i * TABLE_SPAN);
    const span = BigInt(TABLE_SPAN);
    this.#must("map", Number(plain.sysMmap(this.#cpu, place(0), span * BigInt(TABLES), 3, FIXED, 0, 0n)), SPREAD);
    const there = new Array<number>(TABLES).fill(0);
    for (let round = 0; round < 60; round++) {
      const i = this.#draw(TABLES);
      const bounce = plain.bounce(this.#cpu);
      if (there[i] >= 0) {
        bytes[bounce] = there[i] = round + 1;
        this.#must("write", Number(plain.guestWrite(this.#cpu, place(i), bounce, 1)), 0);
      }
      const k = this.#draw(TABLES);
      const expected = there[k] < 0 ? -Errno.EFAULT : 0;
      this.#must("read", Number(plain.guestRead(this.#cpu, bounce, place(k), 1)), expected);
      if (expected === 0) this.#must("byte", bytes[bounce], there[k]);
      const gone = this.#draw(TABLES);
      if (round % 2 === 0) continue;
      this.#must("unmap", Number(plain.sysMunmap(this.#cpu, place(gone), span)), 0);
      there[gone] = -1;
      if (this.#draw(3) === 0) plain.settle(this.#cpu, 1 + this.#draw(4));
    }
    this.#must("unmap", Number(plain.sysMunmap(this.#cpu, place(0), span * BigInt(TABLES))), 0);
    for (let round = 0; round < 4; round++) {
      plain.settle(this.#cpu, 1);
      plain.kernelExit(this.#remote);
    }
  }

  #unmap(range: number[]): void {
    const { plain } = this.#machine;
    this.#must("unmap", Number(plain.sysMunmap(this.#cpu, BigInt(at(range[0])), length(range))), 0);
    for (const i of range) this.#pages[i] = undefined;
  }

  #protect(range: number[], prot: number): void {
    const { plain } = this.#machine;
    const hole = range.findIndex((i) => !this.#pages[i]);
    const got = plain.sysMprotect(this.#cpu, BigInt(at(range[0])), length(range), prot);
    this.#must("protect", Number(got), hole >= 0 ? -Errno.ENOMEM : 0);
    for (const i of hole >= 0 ? range.slice(0, hole) : range) this.#pages[i]!.prot = prot;
  }

  #dontNeed(range: number[]): void {
    const { plain } = this.#machine;
    const got = plain.sysMadvise(this.#cpu, BigInt(at(range[0])), length(range), Advice.DontNeed);
    this.#must("dontneed", Number(got), range.some((i) => !this.#pages[i]) ? -Errno.ENOMEM : 0);
    for (const i of range) {
      const page = this.#pages[i];
      if (page) page.value = page.initial;
    }
  }

  /** To a place that is given: several mappings go along, and the holes between them leave what is there. */
  #move(range: number[], to: number): void {
    const { plain } = this.#machine;
    const from = range[0];
    const n = Math.min(range.length, PAGES - to);
    const flags = MremapFlag.MayMove | MremapFlag.Fixed;
    const [source, target] = [BigInt(at(from)), BigInt(at(to))];
    const got = Number(plain.sysMremap(this.#cpu, source, BigInt(n * PAGE), BigInt(n * PAGE), flags, target));
    const overlaps = from + n > to && to + n > from;
    const refused = overlaps ? Errno.EINVAL : this.#pages[from] ? 0 : Errno.EFAULT;
    this.#must("move", got, refused !== 0 ? -refused : at(to));
    for (let k = 0; refused === 0 && k < n; k++) {
      if (this.#pages[from + k]) this.#pages[to + k] = this.#pages[from + k];
      this.#pages[from + k] = undefined;
    }
  }

  #write(i: number, value: number, remote: boolean): void {
    const { plain, bytes } = this.#machine;
    const page = this.#pages[i];
    const cpu = remote ? this.#remote : this.#cpu;
    const bounce = plain.bounce(cpu);
    bytes[bounce] = value;
    const copy = this.#writer(remote);
    const got = this.#served(cpu, () => copy(cpu, BigInt(at(i) + OFFSET), bounce, 1));
    const allowed = page !== undefined && (page.prot & Prot.Write) !== 0;
    this.#must("write", got, allowed ? 0 : -Errno.EFAULT);
    if (!allowed && !remote) this.#mustTrap(i, Cause.StorePage, at(i) + OFFSET);
    if (page && allowed) page.value = value;
  }

  #writer(remote: boolean): (cpu: number, va: bigint, from: number, bytes: number) => bigint {
    const { plain } = this.#machine;
    if (!remote) return plain.guestWrite;
    // A copy on write flushes: who runs the space sleeps meanwhile, or it would have to answer.
    return (cpu, va, from, bytes) => {
      this.#words.idleEnter(this.#cpu);
      const result = plain.remoteWrite(cpu, plain.spaceOf(cpu), va, from, bytes);
      this.#words.idleLeave(this.#cpu);
      return result;
    };
  }

  #read(i: number, remote: boolean): void {
    const { plain, bytes } = this.#machine;
    const page = this.#pages[i];
    const cpu = remote ? this.#remote : this.#cpu;
    const bounce = plain.bounce(cpu);
    const from = BigInt(at(i) + OFFSET);
    const space = plain.spaceOf(cpu);
    const got = this.#served(cpu, () =>
      remote ? plain.remoteRead(cpu, space, bounce, from, 1) : plain.guestRead(cpu, bounce, from, 1),
    );
    const allowed = page !== undefined && (page.prot & (Prot.Read | Prot.Write)) !== 0;
    this.#must("read", got, allowed ? 0 : -Errno.EFAULT);
    if (!allowed && !remote) this.#mustTrap(i, Cause.LoadPage, at(i) + OFFSET);
    if (page && allowed) this.#must(`byte of page ${i}`, bytes[bounce], page.value);
  }

  /** An instruction fetch; of a page of a file only when it is there. */
  #execute(i: number): void {
    const page = this.#pages[i];
    const got = this.#words.fill(this.#cpu, BigInt(at(i)), Access.Exec);
    const allowed = page !== undefined && (page.prot & Prot.Exec) !== 0;
    if (!allowed) this.#mustTrap(i, Cause.FetchPage, at(i));
    if (!(allowed && got === Exit.Io)) this.#must("fetch", got, allowed ? Exit.None : Exit.Trap);
  }

  #mustTrap(i: number, cause: number, address: number): void {
    const words = this.#words;
    this.#must("cause of the trap", words.trapCause(this.#cpu), cause);
    this.#must("code of the trap", words.trapCode(this.#cpu), this.#pages[i] ? SegvCode.AccErr : SegvCode.MapErr);
    this.#must("address of the trap", Number(words.trapValue(this.#cpu)), address);
  }

  /** Calls that change nothing, and why. */
  #refused(): void {
    const { plain } = this.#machine;
    const cpu = this.#cpu;
    const [anonymous, file] = [MapFlag.Private | MapFlag.Anonymous, MapFlag.Private];
    const page = BigInt(PAGE);
    const low = BigInt(at(0));
    const maps: [va: bigint, bytes: bigint, flags: number, object: number, offset: bigint, errno: number][] = [
      [0n, 0n, anonymous, 0, 0n, Errno.EINVAL],
      [0n, page, file, LONE_FILE, 1n, Errno.EINVAL],
      [0n, 1n << 40n, anonymous, 0, 0n, Errno.ENOMEM],
      [0n, 1n << 38n, anonymous, 0, 0n, Errno.ENOMEM],
      [0n, page, MapFlag.Anonymous, 0, 0n, Errno.EINVAL],
      [0n, page, anonymous | MapFlag.HugeTlb, 0, 0n, Errno.ENOMEM],
      [0n, page, MapFlag.SharedValidate | 0x80000, LONE_FILE, 0n, Errno.EOPNOTSUPP],
      [0n, page, MapFlag.SharedValidate | MapFlag.Anonymous, 0, 0n, Errno.EINVAL],
      [0n, page, MapFlag.Shared, NO_FILE, 0n, Errno.EBADF],
      [0n, page, file | MapFlag.GrowsDown, LONE_FILE, 0n, Errno.EINVAL],
      [low + 1n, page, FIXED, 0, 0n, Errno.EINVAL],
      [page, page, FIXED, 0, 0n, Errno.EPERM],
      [0n, 1n << 38n, FIXED, 0, 0n, Errno.ENOMEM],
    ];
    this.#words.hostOpen(cpu, LONE_FILE, 1n << 40n, -1n);
    maps.forEach(([va, bytes, flags, object, offset, errno], i) => {
      this.#must(`bad mmap ${i}`, Number(plain.sysMmap(cpu, va, bytes, 3, flags, object, offset)), -errno);
    });
    this.#words.closeObject(cpu, LONE_FILE);
    this.#must("release of what nobody mapped", this.#words.takeReleasedObject(cpu), LONE_FILE);
    this.#must("end of it", this.#words.forgetObject(cpu, LONE_FILE, 0), 1);
    this.#must("munmap of nothing", Number(plain.sysMunmap(cpu, low, 0n)), -Errno.EINVAL);
    this.#must("munmap unaligned", Number(plain.sysMunmap(cpu, low + 8n, page)), -Errno.EINVAL);
    this.#must("munmap past the end", Number(plain.sysMunmap(cpu, low, 1n << 38n)), -Errno.EINVAL);
    this.#must("mprotect unaligned", Number(plain.sysMprotect(cpu, low + 8n, page, 3)), -Errno.EINVAL);
    this.#must("mprotect of nothing", Number(plain.sysMprotect(cpu, low, 0n, 3)), 0);
    this.#must("madvise unaligned", Number(plain.sysMadvise(cpu, low + 8n, page, Advice.DontNeed)), -Errno.EINVAL);
    this.#must("madvise of nothing", Number(plain.sysMadvise(cpu, low, 0n, Advice.DontNeed)), 0);
    this.#must("madvise of all and more", Number(plain.sysMadvise(cpu, low, -1n, Advice.DontNeed)), -Errno.EINVAL);
    for (const advice of [0, 1, 2, 3, 8, 16, 17, 20, 21]) {
      const got = Number(plain.sysMadvise(cpu, BigInt(at(PAGES) + 64 * PAGE), page, advice));
      this.#must(`madvise ${advice} of a hole`, got, -Errno.ENOMEM);
    }
    this.#must("madvise unknown", Number(plain.sysMadvise(cpu, low, page, 99)), -Errno.EINVAL);
  }

  /** An access, again after each page of a file that it asks for. */
  #served(cpu: number, access: () => bigint): number {
    const { plain, bytes } = this.#machine;
    const files = this.#words;
    const list = plain.bounce(cpu) + 2 * PAGE;
    for (let round = 0; round < 4; round++) {
      const got = Number(access());
      if (got !== NEED_IO) return got;
      const [object, page] = [files.ioObject(cpu), Number(files.ioOffset(cpu)) / PAGE];
      const count = files.pageInBegin(cpu, list, 2);
      for (let i = 0; i < count; i++) {
        const frame = this.#machine.words[(list >>> 2) + i];
        bytes.fill(inFile(object, page + i), frame, frame + PAGE);
      }
      files.pageInEnd(cpu, list, count, count);
    }
    throw new Violation("livelock", "a page of a file is asked for again and again");
  }

  /** Every file that was mapped is given back once. */
  #mustRelease(): void {
    const files = this.#words;
    const back = new Set<number>();
    for (let id = files.takeReleasedObject(this.#cpu); id !== 0; id = files.takeReleasedObject(this.#cpu)) {
      if (back.has(id)) throw new Violation("results", `file ${id} is released twice`);
      back.add(id);
      this.#must("end of a file", files.forgetObject(this.#cpu, id, 0), 1);
    }
    this.#must("number of files released", back.size, this.#objects);
  }

  #mmap(range: number[], prot: number, flags: number, object: number, offset: number): number {
    const { plain } = this.#machine;
    const va = BigInt(at(range[0]));
    if (object !== 0) this.#words.hostOpen(this.#cpu, object, 1n << 40n, -1n);
    const result = Number(plain.sysMmap(this.#cpu, va, length(range), prot, flags, object, BigInt(offset)));
    if (object !== 0) this.#words.closeObject(this.#cpu, object);
    return result;
  }

  #must(what: string, got: number | string, expected: number | string): void {
    if (got !== expected) throw new Violation("results", `${what}: ${got}, not ${expected}, one call at a time`);
  }

  #draw(below: number): number {
    return uniformInt(this.#random, 0, below - 1);
  }
}

function at(page: number): number {
  return FIRST + page * PAGE;
}

function length(range: number[]): bigint {
  return BigInt(range.length * PAGE);
}

function inFile(object: number, page: number): number {
  return (object * 31 + page * 7 + 1) & 255;
}
