/**
 * run/exec.ts: puts a parsed program into the empty address space and points the first thread at it.
 *
 *   0x10000 …            ET_EXEC where it says
 *   PIE_BASE …           static-PIE; then the heap
 *   … mmap area …
 *   stack, grows down    its top below the last page: strings, auxv, envp, argv, argc at sp
 *   TASK_SIZE - 4096     the signal trampoline, R-X
 *
 * Algorithm  each segment: its file part privately mapped from the program's object, the rest anonymous; the tail of the
 *            last file page is zeroed (bss). Pages come with their first access.
 * Follows    fs/binfmt_elf.c:load_elf_binary, create_elf_tables; getauxval(3)
 */
import { Limit } from "../core/abi/limit.js";
import { MapFlag, Prot } from "../core/abi/mman.js";
import { type ElfImage, pageDown, pageUp, type Segment, TASK_SIZE } from "./elf.js";
import type { ExecPlan } from "./messages.js";
import { Thread } from "./thread.js";

/** Why the program can not be started; the rest of the line after "faultline: ". */
export class ExecError extends Error {}

/** A multiple of the largest page a linker aligns to, two thirds up (ELF_ET_DYN_BASE). */
const PIE_BASE = 0x2aaaa00000n;
const PAGE = 4096n;
const STACK_TOP = TASK_SIZE - 2n * PAGE;
/** Mapped at the start; the rest of the 8 MiB is grown into. */
const STACK_BYTES = 33n * PAGE;
const STRINGS_MAX = 2 << 20;
const MAP_ANON = MapFlag.Private | MapFlag.Anonymous | MapFlag.Fixed;
const MAP_FILE = MapFlag.Private | MapFlag.Fixed;

export function exec(thread: Thread, plan: ExecPlan): void {
  const { core, cpu } = thread;
  const { image } = plan;
  thread.traceThread(true);
  const first = image.segments[0] as Segment;
  const bias = image.relocatable ? PIE_BASE - pageDown(first.address) : 0n;
  for (const segment of image.segments) mapSegment(thread, segment, bias, plan.object);
  const last = image.segments.at(-1) as Segment;
  core.setLimit(cpu, Limit.Privileged, thread.process.uid === 0 ? 1n : 0n);
  core.setLimit(cpu, Limit.Overcommit, 1n);
  core.setBrk(cpu, pageUp(bias + last.address + last.memoryBytes));
  mapTrampoline(thread);
  const prot = Prot.Read | Prot.Write | (image.executableStack ? Prot.Exec : 0);
  const flags = MAP_ANON | MapFlag.GrowsDown | MapFlag.Stack | MapFlag.NoReserve;
  map(thread, STACK_TOP - STACK_BYTES, STACK_BYTES, prot, flags, 0, 0n);
  const sp = writeStack(thread, plan, bias);
  core.setStackStart(cpu, sp);
  thread.resetHart();
  core.setPc(cpu, bias + image.entry);
  core.setX(cpu, 2, sp);
}

function map(
  thread: Thread,
  at: bigint,
  length: bigint,
  prot: number,
  flags: number,
  object: number,
  offset: bigint,
): void {
  const result = thread.core.sysMmap(thread.cpu, at, length, prot, flags, object, offset);
  if (result < 0n) throw new ExecError(`cannot map the program at 0x${at.toString(16)} (errno ${-result})`);
}

function mapSegment(thread: Thread, s: Segment, bias: bigint, object: number): void {
  const start = pageDown(bias + s.address);
  const fileEnd = bias + s.address + s.fileBytes;
  const end = pageUp(bias + s.address + s.memoryBytes);
  const mapped = s.fileBytes > 0n ? pageUp(fileEnd) : start;
  if (mapped > start) map(thread, start, mapped - start, s.prot, MAP_FILE, object, pageDown(s.offset));
  if (end > mapped) map(thread, mapped, end - mapped, s.prot, MAP_ANON, 0, 0n);
  const tail = s.memoryBytes > s.fileBytes ? Number(mapped - fileEnd) : 0;
  // As Linux: what can not be written is not zeroed.
  if (tail > 0 && mapped > start && (s.prot & Prot.Write) !== 0) {
    if (thread.guest.write(fileEnd, new Uint8Array(tail)) < 0) throw new ExecError("cannot read the program");
  }
}

/** li a7, 139 (rt_sigreturn); ecall */
const TRAMPOLINE = [0x08b00893, 0x00000073];

function mapTrampoline(thread: Thread): void {
  const { core, cpu, guest } = thread;
  map(thread, Thread.trampoline, PAGE, Prot.Read | Prot.Write, MAP_ANON, 0, 0n);
  TRAMPOLINE.forEach((word, i) => {
    guest.writeU32(Thread.trampoline + BigInt(i * 4), word);
  });
  core.sysMprotect(cpu, Thread.trampoline, PAGE, Prot.Read | Prot.Exec);
}

enum Aux {
  Null = 0,
  Phdr = 3,
  Phent = 4,
  Phnum = 5,
  PageSize = 6,
  Base = 7,
  Flags = 8,
  Entry = 9,
  Uid = 11,
  EUid = 12,
  Gid = 13,
  EGid = 14,
  HwCap = 16,
  ClockTick = 17,
  Secure = 23,
  Random = 25,
  ExecFn = 31,
}

/** Bits of the single-letter extensions I M A F D C. */
const HWCAP = [..."IMAFDC"].reduce((bits, letter) => bits | (1 << (letter.charCodeAt(0) - 65)), 0);

/** Writes strings and vectors below STACK_TOP; the stack pointer, which holds argc. */
function writeStack(thread: Thread, plan: ExecPlan, bias: bigint): bigint {
  const texts = [...plan.argv, ...plan.env, plan.path];
  const textBytes = texts.reduce((sum, text) => sum + text.length + 1, 0);
  if (textBytes > STRINGS_MAX) throw new ExecError("argument list too long");
  const strings = STACK_TOP - 16n - BigInt(textBytes);
  const random = (strings - 16n) & ~15n;
  const addresses: bigint[] = [];
  let at = strings;
  for (const text of texts) {
    addresses.push(at);
    at += BigInt(text.length + 1);
  }
  const argc = plan.argv.length;
  const execFn = addresses.pop() as bigint;
  const words = [BigInt(argc), ...addresses.slice(0, argc), 0n, ...addresses.slice(argc), 0n];
  for (const [key, value] of auxiliary(thread, plan.image, bias, execFn, random)) words.push(BigInt(key), value);
  const sp = (random - BigInt(words.length * 8)) & ~15n;

  const block = new Uint8Array(Number(STACK_TOP - sp));
  const view = new DataView(block.buffer);
  words.forEach((word, i) => {
    view.setBigUint64(i * 8, word, true);
  });
  block.set(crypto.getRandomValues(new Uint8Array(16)), Number(random - sp));
  let place = Number(strings - sp);
  for (const text of texts) {
    block.set(text, place);
    place += text.length + 1;
  }
  if (thread.guest.write(sp, block) < 0) throw new ExecError("no memory for the program's stack");
  return sp;
}

function auxiliary(thread: Thread, image: ElfImage, bias: bigint, execFn: bigint, random: bigint): [Aux, bigint][] {
  const { uid, gid } = thread.process;
  return [
    [Aux.HwCap, BigInt(HWCAP)],
    [Aux.PageSize, PAGE],
    [Aux.ClockTick, 100n],
    [Aux.Phdr, image.headersAddress === 0n ? 0n : bias + image.headersAddress],
    [Aux.Phent, 56n],
    [Aux.Phnum, BigInt(image.headerCount)],
    [Aux.Base, 0n],
    [Aux.Flags, 0n],
    [Aux.Entry, bias + image.entry],
    [Aux.Uid, BigInt(uid)],
    [Aux.EUid, BigInt(uid)],
    [Aux.Gid, BigInt(gid)],
    [Aux.EGid, BigInt(gid)],
    [Aux.Secure, 0n],
    [Aux.Random, random],
    [Aux.ExecFn, execFn],
    [Aux.Null, 0n],
  ];
}
