/**
 * run/program.ts: finds the program that execve(2) is to run: opens the file, follows "#!", reads the ELF head.
 *
 *   path ─► OpenProgram ─► head ─┬ ELF  ─► image
 *                                └ "#!" ─► the interpreter's path, argv begins with it ─► OpenProgram …
 *
 * Promise    an error leaves nothing open. Of several files opened on the way only the last one is kept.
 * Errnos     what opening the file says; ENOEXEC for what is neither, and for a dynamically linked program (elf.ts); ELOOP
 *            after five interpreters that are scripts themselves.
 * Linux: compare fs/exec.c:exec_binprm, fs/binfmt_script.c:load_script.
 */
import { Errno } from "../core/abi/errno.js";
import { ElfError, type ElfImage, parseElf } from "./elf.js";
import { At } from "./files/linux.js";
import { HostCall } from "./files/service.js";
import type { Thread } from "./thread.js";

/** Where requests put things in the bounce buffer. */
const PATH_AT = 0;
const HEAD_AT = 8192;
const FACTS_AT = HEAD_AT + 4096;
/** BINPRM_BUF_SIZE: as much of a "#!" line as is looked at. */
const LINE_BYTES = 256;
const REWRITES_MAX = 5;

export interface Opened {
  readonly image: ElfImage;
  /** Object id, with a reference that closeProgram() gives back. */
  readonly object: number;
  readonly argv: readonly Uint8Array[];
}

/** `filename`: what the program is told it is called, as bprm->filename. */
export function openProgram(
  thread: Thread,
  dirfd: number,
  path: Uint8Array,
  flags: number,
  filename: Uint8Array,
  given: readonly Uint8Array[],
): Opened | number {
  let argv = given;
  let called = filename;
  let object = openFile(thread, dirfd, path, flags);
  for (let depth = 0; ; depth++) {
    if (object < 0) return object;
    const head = thread.guest.bytes.slice(HEAD_AT, HEAD_AT + thread.guest.view.getUint32(FACTS_AT, true));
    if (head[0] !== 0x23 || head[1] !== 0x21) return openedElf(thread, object, head, argv);
    closeProgram(thread, object);
    const line = depth < REWRITES_MAX ? readLine(head) : -Errno.ELOOP;
    if (typeof line === "number") return line;
    argv = [line.name, ...(line.argument ? [line.argument] : []), called, ...argv.slice(1)];
    called = line.name;
    object = openFile(thread, At.FdCwd, line.name, 0);
  }
}

/** Gives the reference back: mappings keep the file by themselves. */
export function closeProgram(thread: Thread, object: number): void {
  thread.core.closeObject(thread.cpu, object);
  thread.guest.releaseObjects();
}

function openFile(thread: Thread, dirfd: number, path: Uint8Array, flags: number): number {
  const { guest, port } = thread;
  guest.bytes.set(path, PATH_AT);
  guest.bytes[PATH_AT + path.length] = 0;
  const args = [BigInt(dirfd), BigInt(PATH_AT), BigInt(HEAD_AT), BigInt(flags), 0n, 0n];
  return port.request(HostCall.OpenProgram, args, 0, false);
}

function openedElf(thread: Thread, object: number, head: Uint8Array, argv: readonly Uint8Array[]): Opened | number {
  const size = Number(thread.guest.view.getBigUint64(FACTS_AT + 8, true));
  try {
    return { image: parseElf(head, size), object, argv };
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    closeProgram(thread, object);
    return -Errno.ENOEXEC;
  }
}

interface Line {
  readonly name: Uint8Array;
  readonly argument: Uint8Array | undefined;
}

const blank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09;
/** Ends the interpreter's name. */
const ends = (byte: number | undefined): boolean => blank(byte) || byte === 0;

/** The interpreter and the one argument of a "#!" line; a path that may have been cut off is ENOEXEC. */
function readLine(head: Uint8Array): Line | number {
  const line = new Uint8Array(LINE_BYTES);
  line.set(head.subarray(0, LINE_BYTES));
  let end = line.indexOf(0x0a);
  if (end < 0) {
    end = LINE_BYTES - 1;
    const first = skip(line, 2, end, blank);
    if (first === end || skip(line, first, end, (byte) => !ends(byte)) === end) return -Errno.ENOEXEC;
  }
  while (end > 2 && blank(line[end - 1])) end--;
  const start = skip(line, 2, end, blank);
  const stop = skip(line, start, end, (byte) => !ends(byte));
  if (start === stop) return -Errno.ENOEXEC;
  const from = line[stop] === 0 ? end : skip(line, stop, end, blank);
  return { name: line.slice(start, stop), argument: from < end ? untilNul(line.subarray(from, end)) : undefined };
}

/** The first place from `at` on whose byte does not pass; `end` when all do. */
function skip(line: Uint8Array, at: number, end: number, passes: (byte: number | undefined) => boolean): number {
  let i = at;
  while (i < end && passes(line[i])) i++;
  return i;
}

function untilNul(bytes: Uint8Array): Uint8Array {
  const nul = bytes.indexOf(0);
  return bytes.slice(0, nul < 0 ? bytes.length : nul);
}
