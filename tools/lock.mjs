/**
 * One set-up at a time: two launches at once must not disturb each other.
 *
 * Algorithm  the lock is a file made with O_EXCL that holds its owner's process id. Who finds it waits; who finds its
 *            owner dead moves the file aside and tries again. What another launch built meanwhile is found up to date.
 * Race       | A                          | B
 *            | reads a dead owner's id    | reads the same
 *            | moves the file, locks      |
 *            |                            | moves A's lock: the id inside differs, so B puts it back
 */
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

const POLL_MS = 100;
const UNWRITTEN_MS = 10_000;

export async function withLock(path, say, work) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!tryLock(path)) {
    if (breakStale(path)) continue;
    if (!told) say("waiting for another launch to finish setting up");
    told = true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  try {
    return await work();
  } finally {
    unlinkSync(path);
  }
}

function tryLock(path) {
  try {
    const file = openSync(path, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/** True when the lock is gone, or its owner was dead and it was taken away. */
function breakStale(path) {
  const owner = ownerOf(path);
  if (owner === undefined) return true;
  if (owner === "" ? ageMs(path) < UNWRITTEN_MS : isAlive(Number(owner))) return false;
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    if (ownerOf(aside) !== owner) linkSync(aside, path);
    unlinkSync(aside);
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "EEXIST") throw error;
  }
  return true;
}

function ownerOf(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
