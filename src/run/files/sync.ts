/** files/sync.ts: fsync and its kin: what was written, through a mapping too, is with the host before the call returns.
 *  What write(2) wrote is with the host at once. Pages of mappings are in the core, which this thread can not walk: the
 *  first answer names the objects that may have such pages (Special.NeedWriteback), the worker writes them back and asks
 *  again. Files in memory have nothing else to be written to, but their pages go back to the file all the same.
 *  Linux     compare fs/sync.c:do_fsync, ksys_sync_file_range */
import { Errno } from "../../core/abi/errno.js";
import { type Call, openOf, type State, type Verb } from "./call.js";
import type { Description } from "./description.js";
import { fail } from "./fail.js";
import { Chunk } from "./marshal.js";
import { BOUNCE_DATA_BYTES, Special } from "./service.js";

const LIST_MAX = BOUNCE_DATA_BYTES / 4 - 1;
/** SYNC_FILE_RANGE_WAIT_BEFORE, WRITE, WAIT_AFTER. */
const RANGE_FLAGS = 7;

/** The objects are written back; the answer that asks for it when they are not yet. */
function writtenBack(call: Call, objects: readonly number[]): number {
  if (objects.length === 0 || call.request.flags & Chunk.WrittenBack) return 0;
  const { buffer, byteOffset } = call.request.bounce;
  const words = new Uint32Array(buffer, byteOffset, LIST_MAX + 1);
  const listed = objects.slice(0, LIST_MAX);
  words[0] = listed.length;
  words.set(listed, 1);
  return Special.NeedWriteback;
}

function ofFile(state: State, { handle }: Description): number[] {
  const object = state.objects.of(handle);
  return object?.writable ? [object.id] : [];
}

function syncFile(state: State, call: Call, dataOnly: boolean): number {
  const description = openOf(state, call.int(0));
  const more = writtenBack(call, ofFile(state, description));
  if (more === 0) description.handle.sync(dataOnly);
  return more;
}

export const fSync: Verb = (state, call) => syncFile(state, call, false);
export const fDataSync: Verb = (state, call) => syncFile(state, call, true);

/** Of what is with the host it is the host that decides when it reaches a disk. */
export const sync: Verb = (state, call) => writtenBack(call, state.objects.writable());

export const syncFs: Verb = (state, call) => {
  openOf(state, call.int(0));
  return writtenBack(call, state.objects.writable());
};

/** The range is a hint here: the whole file is written. */
export const syncFileRange: Verb = (state, call) => {
  const description = openOf(state, call.int(0));
  const [from, length] = [call.offset(1), call.offset(2)];
  if (call.uint(3) & ~RANGE_FLAGS || from < 0 || from + length < from) fail(Errno.EINVAL);
  if (!description.handle.regular && !description.isDirectory) fail(Errno.ESPIPE);
  return writtenBack(call, ofFile(state, description));
};
