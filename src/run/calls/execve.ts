/**
 * calls/execve.ts: execve(2), execveat(2).
 *
 *   strings copied ─► program found ─► new space ─► the other threads end ─┊─► space changed ─► files ─► mapped
 *                                                          point of no return
 *
 * Promise    an error before the point of no return changes nothing. After it a failure kills the process with SIGKILL: the
 *            old program is gone.
 * vfork      the parent goes on as soon as the child has left its memory.
 * Limits     a string has at most 128 KiB, all of them and their pointers 2 MiB: E2BIG.
 * Linux: compare fs/exec.c:do_execveat_common, bprm_stack_limits, begin_new_exec.
 */
import { Errno } from "../../core/abi/errno.js";
import { ExecError, exec } from "../exec.js";
import { toBytes } from "../files/bytes.js";
import { At } from "../files/linux.js";
import { PATH_MAX } from "../files/marshal.js";
import { HostCall } from "../files/service.js";
import { ThreadStopped } from "../hostport.js";
import { closeProgram, type Opened, openProgram } from "../program.js";
import { Signal } from "../signals.js";
import { NO_RESULT, type Thread } from "../thread.js";
import { type Args, int, long } from "./args.js";
import { releaseThread } from "./threads.js";

const STRING_MAX = 131072;
const STRINGS_MAX = 2 << 20;
const POINTER = 8;
/** As much of argv as /proc/PID/cmdline is told of, and where it lies in the bounce buffer, behind the name. */
const CMDLINE_AT = 4096;
const CMDLINE_MAX = 49152;

export function execve(thread: Thread, args: Args): number {
  return execute(thread, At.FdCwd, long(args, 0), long(args, 1), long(args, 2), 0);
}

export function execveat(thread: Thread, args: Args): number {
  return execute(thread, int(args, 0), long(args, 1), long(args, 2), long(args, 3), int(args, 4));
}

function execute(thread: Thread, dirfd: number, at: bigint, argv: bigint, envp: bigint, flags: number): number {
  const path = thread.guest.readString(at, PATH_MAX);
  if (typeof path === "number") return path;
  if (path.length === PATH_MAX) return -Errno.ENAMETOOLONG;
  if (path === "" && (flags & At.EmptyPath) === 0) return -Errno.ENOENT;
  const strings = readStrings(thread, argv, envp);
  if (typeof strings === "number") return strings;
  if ((flags & ~(At.SymlinkNoFollow | At.EmptyPath)) !== 0) return -Errno.EINVAL;
  const name = nameOf(dirfd, path);
  // An empty argv gets one empty string (do_execveat_common).
  const given = strings.argv.length === 0 ? [new Uint8Array()] : strings.argv;
  const program = openProgram(thread, dirfd, toBytes(path), flags, toBytes(name), given);
  if (typeof program === "number") return program;
  const error = enterSpace(thread, program);
  if (error < 0) {
    closeProgram(thread, program.object);
    return error;
  }
  become(thread, program, name, strings.envp);
  return NO_RESULT;
}

/** bprm->filename: AT_EXECFN, and its last part the thread's name. */
function nameOf(dirfd: number, path: string): string {
  if (dirfd === At.FdCwd || path.startsWith("/")) return path;
  return path === "" ? `/dev/fd/${dirfd}` : `/dev/fd/${dirfd}/${path}`;
}

interface Strings {
  readonly argv: readonly Uint8Array[];
  readonly envp: readonly Uint8Array[];
}

function readStrings(thread: Thread, argv: bigint, envp: bigint): Strings | number {
  const places: bigint[] = [];
  const argc = readPointers(thread, argv, places);
  if (argc < 0) return argc;
  const envc = readPointers(thread, envp, places);
  if (envc < 0) return envc;
  let left = STRINGS_MAX - Math.max(1, argc) * POINTER - envc * POINTER;
  const texts: Uint8Array[] = [];
  for (const place of places) {
    const text = thread.guest.readString(place, STRING_MAX);
    if (typeof text === "number") return text;
    left -= text.length + 1;
    if (text.length === STRING_MAX || left < 0) return -Errno.E2BIG;
    texts.push(toBytes(text));
  }
  return { argv: texts.slice(0, argc), envp: texts.slice(argc) };
}

/** A vector of pointers up to NULL, added to `places`: how many, or an errno. A null vector is empty. */
function readPointers(thread: Thread, vector: bigint, places: bigint[]): number {
  if (vector === 0n) return 0;
  for (let count = 0; ; count++) {
    if (count > STRINGS_MAX / POINTER) return -Errno.E2BIG;
    const place = thread.guest.readU64(vector + BigInt(count * POINTER));
    if (typeof place === "number") return place;
    if (place === 0n) return count;
    places.push(place);
  }
}

/** Past it the caller is the process's only thread, in an empty space; an error changes nothing. */
function enterSpace(thread: Thread, program: Opened): number {
  const { core, cpu } = thread;
  const space = core.newSpace(cpu);
  if (space === 0) return -Errno.ENOMEM;
  const error = core.beginExec(cpu);
  if (error < 0) {
    core.putSpace(cpu, space);
    return error;
  }
  if (!thread.sleepDeaf(() => core.threadsLeft(cpu) > 1)) {
    core.putSpace(cpu, space);
    closeProgram(thread, program.object);
    throw new ThreadStopped();
  }
  releaseThread(thread);
  const old = core.spaceOf(cpu);
  core.turnToSpace(cpu, space);
  core.finishExec(cpu);
  core.putSpace(cpu, old);
  thread.guest.releaseObjects();
  return 0;
}

function become(thread: Thread, program: Opened, filename: string, env: readonly Uint8Array[]): void {
  const name = filename.slice(filename.lastIndexOf("/") + 1);
  const { image, object, argv } = program;
  thread.tid = thread.process.pid;
  thread.port.tid = thread.tid;
  thread.name = name;
  tellFiles(thread, program, name);
  try {
    exec(thread, { image, object, argv, env, path: toBytes(filename), name });
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    thread.die(Signal.KILL);
  } finally {
    closeProgram(thread, object);
  }
}

function tellFiles({ guest, port }: Thread, { object, argv }: Opened, name: string): void {
  const called = toBytes(name.slice(0, PATH_MAX - 1));
  guest.bytes.set(called, 0);
  guest.bytes[called.length] = 0;
  let used = 0;
  for (const text of argv) {
    if (used + text.length + 1 > CMDLINE_MAX) break;
    guest.bytes.set(text, CMDLINE_AT + used);
    guest.bytes[CMDLINE_AT + used + text.length] = 0;
    used += text.length + 1;
  }
  const args = [BigInt(object), BigInt(CMDLINE_AT), BigInt(used), 0n, BigInt(called.length), 0n];
  port.request(HostCall.ExecFiles, args, 0, false);
}
