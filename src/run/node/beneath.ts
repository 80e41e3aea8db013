/** node/beneath.ts: host paths that lead where their names say and nowhere else.
 *
 *  Why        the tree hands over a path whose every name it has looked at; before the host walks it, another process (or
 *             another guest given the same directory) may have put a link in the place of a directory.
 *  Promise    a path from through() reaches its last name through no link: what a swapped name leads to is never touched.
 *  Algorithm  Node has no openat, but Linux has /proc/self/fd/N/name. The directory is held open as a place (O_PATH), and
 *             before each use the kernel is asked what its path is now:
 *
 *                 /d/a/b/f   ->  N = place of /d/a/b,  readlink /proc/self/fd/N = "/d/a/b" ?  ->  /proc/self/fd/N/f
 *                                                      anything else: opened anew, then ENOENT
 *
 *  Elsewhere  (no /proc) the path itself: there the promise is kept only against the guest, by hostpaths.ts. */
import fs from "node:fs";
import { Errno } from "../../core/abi/errno.js";
import { fail } from "../files/fail.js";
import { Open } from "../files/linux.js";

const { O_DIRECTORY, O_NOFOLLOW } = fs.constants;
const PLACES_MAX = 64;

const raw = (path: string): Buffer => Buffer.from(path, "latin1");

/** Directory path to its place, the longest unused first. "" is the root. */
const places = new Map<string, number>();
let works: boolean | undefined;

/** A path to give to the host instead of `path`; its last name is not looked at. */
export function through(path: string): Buffer {
  const cut = path.lastIndexOf("/");
  const name = path.slice(cut + 1);
  if (name === "" || !canHold()) return raw(path);
  return raw(`/proc/self/fd/${place(path.slice(0, cut))}/${name}`);
}

/** The same for a directory that is to be read. */
export function inside(path: string): Buffer {
  if (!canHold()) return raw(path);
  return raw(`/proc/self/fd/${place(path === "/" ? "" : path)}/.`);
}

/** Runs a call that would follow a link: what it is given is the file at path, a link being itself. */
export function pinned<T>(path: string, run: (path: Buffer) => T): T {
  if (!canHold()) return run(raw(path));
  const fd = fs.openSync(through(path), Open.Path | O_NOFOLLOW);
  try {
    return run(raw(`/proc/self/fd/${fd}`));
  } finally {
    fs.closeSync(fd);
  }
}

function canHold(): boolean {
  if (works === undefined) {
    works = false;
    if (process.platform === "linux" && fs.existsSync("/proc/self/fd")) works = pathOf(open("")) === "";
  }
  return works;
}

function place(path: string): number {
  const known = places.get(path);
  if (known !== undefined) {
    places.delete(path);
    if (pathOf(known) === path) {
      places.set(path, known);
      return known;
    }
    fs.closeSync(known);
  }
  const fd = open(path);
  if (pathOf(fd) !== path) {
    fs.closeSync(fd);
    fail(Errno.ENOENT);
  }
  places.set(path, fd);
  const [oldest] = places;
  if (places.size > PLACES_MAX && oldest) {
    places.delete(oldest[0]);
    fs.closeSync(oldest[1]);
  }
  return fd;
}

const open = (path: string): number => fs.openSync(raw(path || "/"), Open.Path | O_DIRECTORY);

function pathOf(fd: number): string {
  const path = fs.readlinkSync(`/proc/self/fd/${fd}`, "latin1");
  return path === "/" ? "" : path;
}
