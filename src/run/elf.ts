/**
 * run/elf.ts: reads the headers of a riscv64 Linux program and says what to map.
 *
 * Promise    an image that parses can be mapped without looking at the file again: every segment lies inside the file
 *            and inside user space, none overlap, and nothing wraps. Anything else is one ElfError, one line.
 * Takes      the head of the file (its first ELF_HEAD_BYTES or fewer) and its size; program headers must lie in it, as
 *            Linux wants them within a page (fs/binfmt_elf.c:load_elf_phdrs).
 * Kinds      ET_EXEC, and ET_DYN without PT_INTERP (static-PIE). A dynamic executable is refused by name.
 * Follows    ELF-64 object file format 1.5; RISC-V ELF psABI; compare fs/binfmt_elf.c:load_elf_binary.
 */
import { Prot } from "../core/abi/mman.js";

export const ELF_HEAD_BYTES = 65536;

export interface Segment {
  /** First byte of the segment: the mapping starts at the page below. Relative to the load bias. */
  readonly address: bigint;
  readonly offset: bigint;
  readonly fileBytes: bigint;
  readonly memoryBytes: bigint;
  readonly prot: number;
}

export interface ElfImage {
  /** Placed anywhere (ET_DYN) or where it says (ET_EXEC). */
  readonly relocatable: boolean;
  readonly entry: bigint;
  readonly segments: readonly Segment[];
  /** Where the program headers are in memory, relative to the bias; 0 when no segment holds them. */
  readonly headersAddress: bigint;
  readonly headerCount: number;
  readonly executableStack: boolean;
}

export class ElfError extends Error {}

const EHDR_BYTES = 64;
const PHDR_BYTES = 56;
const EM_RISCV = 243;
const ET_EXEC = 2;
const ET_DYN = 3;
const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_PHDR = 6;
const PT_GNU_STACK = 0x6474e551;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;
const EF_RISCV_RVE = 8;
const PAGE = 4096n;

/** User addresses end here (Sv39). */
export const TASK_SIZE = 1n << 38n;

const MACHINES: ReadonlyMap<number, string> = new Map([
  [3, "i386"],
  [8, "mips"],
  [20, "powerpc"],
  [21, "powerpc64"],
  [22, "s390x"],
  [40, "arm"],
  [62, "x86-64"],
  [183, "aarch64"],
  [258, "loongarch"],
]);

export function parseElf(head: Uint8Array, fileSize: number): ElfImage {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  checkIdent(view);
  const type = view.getUint16(16, true);
  if (type !== ET_EXEC && type !== ET_DYN) throw new ElfError(`not an executable (ELF type ${type})`);
  checkMachine(view);
  const count = view.getUint16(56, true);
  const table = view.getBigUint64(32, true);
  if (view.getUint16(52, true) !== EHDR_BYTES) throw new ElfError("bad ELF header: wrong e_ehsize");
  if (view.getUint16(54, true) !== PHDR_BYTES) throw new ElfError("bad ELF header: wrong e_phentsize");
  if (count === 0) throw new ElfError("no program headers");
  const tableEnd = table + BigInt(count * PHDR_BYTES);
  if (tableEnd > BigInt(fileSize)) throw new ElfError("truncated: the program headers lie past the end of the file");
  if (tableEnd > BigInt(head.byteLength)) throw new ElfError("program headers too far into the file");

  const relocatable = type === ET_DYN;
  const segments: Segment[] = [];
  let executableStack = true;
  let declaredHeaders: bigint | undefined;
  for (let i = 0; i < count; i++) {
    const at = Number(table) + i * PHDR_BYTES;
    const kind = view.getUint32(at, true);
    if (kind === PT_INTERP) throw new ElfError("dynamically linked: only static programs can run");
    if (kind === PT_GNU_STACK) executableStack = (view.getUint32(at + 4, true) & PF_X) !== 0;
    if (kind === PT_PHDR) declaredHeaders = view.getBigUint64(at + 16, true);
    if (kind === PT_LOAD) addSegment(segments, readSegment(view, at), fileSize);
  }
  if (segments.length === 0) throw new ElfError("nothing to load (no PT_LOAD segment)");
  const entry = view.getBigUint64(24, true);
  if (!segments.some((s) => (s.prot & Prot.Exec) !== 0 && entry >= s.address && entry < s.address + s.memoryBytes)) {
    throw new ElfError("the entry point lies in no executable segment");
  }
  return {
    relocatable,
    entry,
    segments,
    headersAddress: headersIn(segments, table, tableEnd) ?? declaredHeaders ?? 0n,
    headerCount: count,
    executableStack,
  };
}

function checkIdent(view: DataView): void {
  if (view.byteLength < 4 || view.getUint32(0, false) !== 0x7f454c46) throw new ElfError("not an ELF program");
  if (view.byteLength < EHDR_BYTES) throw new ElfError("truncated ELF header");
  const bits = view.getUint8(4);
  if (bits !== 2)
    throw new ElfError(bits === 1 ? "a 32-bit program; riscv64 is needed" : "bad ELF header: wrong class");
  if (view.getUint8(5) !== 1) throw new ElfError("a big-endian program; riscv64 is little-endian");
  if (view.getUint8(6) !== 1 || view.getUint32(20, true) !== 1) throw new ElfError("bad ELF header: wrong version");
}

function checkMachine(view: DataView): void {
  const machine = view.getUint16(18, true);
  if (machine !== EM_RISCV) {
    throw new ElfError(`a program for ${MACHINES.get(machine) ?? `machine ${machine}`}, not riscv64`);
  }
  if ((view.getUint32(48, true) & EF_RISCV_RVE) !== 0) throw new ElfError("an RV64E program; RV64GC is needed");
}

function readSegment(view: DataView, at: number): Segment {
  const flags = view.getUint32(at + 4, true);
  return {
    offset: view.getBigUint64(at + 8, true),
    address: view.getBigUint64(at + 16, true),
    fileBytes: view.getBigUint64(at + 32, true),
    memoryBytes: view.getBigUint64(at + 40, true),
    prot:
      ((flags & PF_R) !== 0 ? Prot.Read : 0) |
      ((flags & PF_W) !== 0 ? Prot.Write : 0) |
      ((flags & PF_X) !== 0 ? Prot.Exec : 0),
  };
}

/** Checks a segment against the file, user space and the one before it; an empty one is left out. */
function addSegment(segments: Segment[], s: Segment, fileSize: number): void {
  if (s.fileBytes > s.memoryBytes) throw new ElfError("bad segment: more bytes in the file than in memory");
  if (s.offset + s.fileBytes > BigInt(fileSize)) {
    throw new ElfError("truncated: a segment lies past the end of the file");
  }
  if (s.address + s.memoryBytes > TASK_SIZE) throw new ElfError("bad segment: beyond user space");
  if (s.fileBytes > 0n && s.address % PAGE !== s.offset % PAGE) {
    throw new ElfError("bad segment: address and file offset are not congruent");
  }
  if (s.memoryBytes === 0n) return;
  const last = segments.at(-1);
  if (last && pageUp(last.address + last.memoryBytes) > pageDown(s.address)) {
    throw new ElfError("bad segments: overlapping or out of order");
  }
  segments.push(s);
}

/** The address of the program headers, when a segment's file part holds all of them. */
function headersIn(segments: readonly Segment[], start: bigint, end: bigint): bigint | undefined {
  const holder = segments.find((s) => s.offset <= start && end <= s.offset + s.fileBytes);
  return holder && holder.address + (start - holder.offset);
}

export function pageDown(address: bigint): bigint {
  return address & ~(PAGE - 1n);
}

export function pageUp(address: bigint): bigint {
  return (address + PAGE - 1n) & ~(PAGE - 1n);
}
