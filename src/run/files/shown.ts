/** files/shown.ts: what open files and places are called where a guest reads about them: links and maps of /proc.
 *  Linux     compare fs/d_path.c:d_path, prepend_path, simple_dname */
import type { Handle } from "./handle.js";
import { Mode } from "./linux.js";
import type { World } from "./process.js";
import type { Place } from "./vnode.js";

const GONE = " (deleted)";

/** The path of a place that has, or had, one. */
export function shownPath({ space }: World, place: Place): string {
  return place.node.shownAs ?? space.pathOf(place) ?? `${space.lastPathOf(place)}${GONE}`;
}

export function labelOf(world: World, place: Place, handle: Handle): string {
  const { label } = handle;
  if (label !== undefined) return label;
  if (place.mount !== world.nowhere) return shownPath(world, place);
  const { mode, ino } = handle.stat();
  const type = mode & Mode.TypeMask;
  if (type === Mode.Fifo) return `pipe:[${ino}]`;
  if (type === Mode.Socket) return `socket:[${ino}]`;
  return handle.terminal ? "/dev/tty" : `anon_inode:[${ino}]`;
}
