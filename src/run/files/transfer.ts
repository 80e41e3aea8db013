/** files/transfer.ts: read, write, pread64, pwrite64 (the vector calls arrive as these) and lseek.
 *  A regular file answers at once. What would block waits (waits.ts) unless the descriptor is non-blocking, or bytes of
 *  this call have moved already. What a read's buffer turns out not to take goes back (giveBack). A large call comes in pieces; between them a regular file is held for its CPU.
 *  Linux     compare fs/read_write.c:ksys_read, vfs_write, generic_file_llseek; pipe(7) for partial writes */
import { Errno } from "../../core/abi/errno.js";
import { type Call, OFFSET_MAX, openOf, type State, type Verb } from "./call.js";
import type { Description } from "./description.js";
import { attempt, fail } from "./fail.js";
import { Open, Poll, Seek } from "./linux.js";
import { Chunk } from "./marshal.js";
import { MemoryHandle } from "./procpid.js";
import { HOST_MEM_OFFSET, Special } from "./service.js";

const OWN_POSITION = -1;

export const read: Verb = (state, call) => readAt(state, call, OWN_POSITION);
export const write: Verb = (state, call) => writeAt(state, call, OWN_POSITION);
export const pread: Verb = (state, call) => readAt(state, call, explicitPosition(state, call));
export const pwrite: Verb = (state, call) => writeAt(state, call, explicitPosition(state, call));

function explicitPosition(state: State, call: Call): number {
  const position = call.offset(3);
  if (position < 0) fail(Errno.EINVAL);
  const description = state.table.get(call.int(0));
  if (!description.isPath && !description.handle.seekable && !description.isDirectory) fail(Errno.ESPIPE);
  return position;
}

/** /proc/PID/mem: the worker moves the bytes (Special.HostMem), of which there may be fewer. */
function inMemory(call: Call, description: Description, { pid }: MemoryHandle, position: number): number {
  const count = call.uint(2);
  if (count === 0) return 0;
  const at = position === OWN_POSITION ? description.position : position;
  if (position === OWN_POSITION) description.position += count;
  const { buffer, byteOffset } = call.request.bounce;
  const view = new DataView(buffer, byteOffset + HOST_MEM_OFFSET, 16);
  view.setUint32(0, pid, true);
  view.setUint32(4, 0, true);
  view.setBigUint64(8, BigInt(at), true);
  return Special.HostMem;
}

function readAt(state: State, call: Call, position: number): number | Promise<number> {
  const description = state.table.get(call.int(0));
  if (!description.readable) fail(Errno.EBADF);
  if (description.handle instanceof MemoryHandle) return inMemory(call, description, description.handle, position);
  if (description.isDirectory) fail(Errno.EISDIR);
  const into = call.bytes(1, call.uint(2));
  const { handle } = description;
  if (position === OWN_POSITION) state.world.lastRead.set(call.cpu, description);
  return move(state, call, description, Poll.In, () => {
    if (position > OFFSET_MAX && handle.regular) return 0;
    if (position !== OWN_POSITION) return state.objects.read(handle, into, position);
    if (!handle.seekable || handle.keepsPosition) return state.objects.read(handle, into, OWN_POSITION);
    const count = state.objects.read(handle, into, description.position);
    if (count > 0) description.position += count;
    return count;
  });
}

function writeAt(state: State, call: Call, position: number): number | Promise<number> {
  const description = state.table.get(call.int(0));
  if (!description.writable) fail(Errno.EBADF);
  if (description.handle instanceof MemoryHandle) return inMemory(call, description, description.handle, position);
  const from = call.bytes(1, call.uint(2));
  const { handle } = description;
  let done = 0;
  const step = (): number => {
    const rest = from.subarray(done);
    if (position === OWN_POSITION && (!handle.seekable || handle.keepsPosition))
      return state.objects.write(handle, rest, OWN_POSITION);
    const at = appendAt(description, position === OWN_POSITION ? description.position : position + done);
    if (at + rest.length > OFFSET_MAX && handle.regular) fail(Errno.EFBIG);
    const count = state.objects.write(handle, rest, at);
    if (count > 0 && position === OWN_POSITION) description.position = at + count;
    return count;
  };
  // A blocking write ends when all is written; an error after some bytes shows at the next call.
  const attemptAll = (): number => {
    for (;;) {
      const count = attempt(step);
      if (count < 0 && count !== -Errno.EAGAIN) return done || count;
      if (count < 0) return description.nonBlocking && done ? done : count;
      done += count;
      if (done >= from.length) return done;
      if (count === 0) return done;
    }
  };
  return move(state, call, description, Poll.Out, attemptAll, () => done || -Errno.EINTR);
}

/** O_APPEND: every write, pwrite too, goes to the end (BUGS in pwrite(2)). */
function appendAt({ flags, handle }: Description, position: number): number {
  return flags & Open.Append ? Number(handle.stat().size) : position;
}

/** Runs one piece: waits for its turn at a held file, then for the file itself. */
function move(
  state: State,
  call: Call,
  description: Description,
  events: number,
  attemptOnce: () => number,
  cancelled?: () => number,
): number | Promise<number> {
  const { flags } = call.request;
  const turn = (): number => {
    if (description.holder !== undefined && description.holder !== call.cpu) return -Errno.EAGAIN;
    const result = attempt(attemptOnce);
    if (description.handle.regular) {
      const goesOn = (flags & Chunk.More) !== 0 && result === call.uint(2);
      if (goesOn || description.holder !== undefined) description.holdFor(goesOn ? call.cpu : undefined);
      if (goesOn) state.holding.add(description);
      else state.holding.delete(description);
    }
    return result;
  };
  const { handle } = description;
  const mayWait = handle.regular || (!description.nonBlocking && !(flags & Chunk.Continues && events === Poll.In));
  if (!mayWait) return turn();
  let waited = false;
  const result = state.waits.until({
    cpu: call.cpu,
    attempt: turn,
    watch: (listener) => {
      // Another thread may close the descriptor meanwhile; the open file stays until the call ends (fdget).
      waited = true;
      description.retain();
      const stops = [description.freed.add(listener), handle.watch(events, listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
    ...(cancelled && { cancelled }),
  });
  if (typeof result === "number") return result;
  return result.finally(() => waited && description.release());
}

/** HostCall.GiveBack. To the file that was read: its number may be another's by now, and its position, moved by another thread, lower
 *  than what goes back. */
export function giveBack(state: State, call: Call): number {
  const [kept, count] = [call.int(0), call.int(1)];
  const description = state.world.lastRead.get(call.cpu);
  if (!description) return kept;
  if (!description.handle.seekable) return description.handle.giveBack(call.request.bounce.slice(0, count), kept);
  description.offset = Math.max(0, description.offset + kept - count);
  return kept;
}

export const lseek: Verb = (state, call) => {
  const description = openOf(state, call.int(0));
  const offset = call.offset(1);
  const { handle } = description;
  if (call.int(2) < Seek.Set || call.int(2) > Seek.Hole) fail(Errno.EINVAL);
  if (!handle.seekable && !description.isDirectory) fail(Errno.ESPIPE);
  const to = target(description, call.int(2), offset);
  if (to < 0 || to > OFFSET_MAX) fail(Errno.EINVAL);
  if (description.isDirectory && to === 0) description.entries = undefined;
  description.offset = to;
  return to;
};

function target(description: Description, whence: number, offset: number): number {
  const { handle, isDirectory } = description;
  if (whence === Seek.Set) return offset;
  if (whence === Seek.Current) return description.offset + offset;
  if (isDirectory) return fail(Errno.EINVAL);
  const size = Number(handle.stat().size);
  if (whence === Seek.End) return size + offset;
  // A file without known holes is all data, with one hole at its end.
  if (offset < 0 || offset >= size) fail(Errno.ENXIO);
  return whence === Seek.Data ? offset : size;
}
