/** Locks between processes: flock, record locks, those of open file descriptions. */
import { beforeEach, expect, test } from "vitest";
import { Errno } from "../src/core/abi/errno";
import { HostCall } from "../src/run/files/service";
import { AT, CREAT, RD, RDWR } from "./support/files-calls";
import { FilesGuest, makeFiles } from "./support/files-guest";

const [READ, WRITE, NONE] = [0, 1, 2];
const [GETLK, SETLK, SETLKW, OFD_SETLK] = [5, 6, 7, 37];
let first: FilesGuest;
let child: FilesGuest;
beforeEach(() => {
  const files = makeFiles();
  first = new FilesGuest(files, "/tmp", 0, 42);
  first.one("openat", AT, "f", CREAT | RDWR, 0o600);
  first.host(HostCall.ForkFiles, 50, 0);
  child = new FilesGuest(files, "/tmp", 1, 50);
});

function record(kind: number, start: number, length: number, whence = 0): string {
  const bytes = Buffer.alloc(32);
  bytes.writeInt16LE(kind, 0);
  bytes.writeInt16LE(whence, 2);
  bytes.writeBigInt64LE(BigInt(start), 8);
  bytes.writeBigInt64LE(BigInt(length), 16);
  return bytes.toString("latin1");
}
const lock = (guest: FilesGuest, command: number, kind: number, start: number, length: number, fd = 3): number =>
  guest.raw("fcntl", fd, command, guest.place(record(kind, start, length)));
const seen = (guest: FilesGuest, kind: number, start: number, length: number): number[] => {
  const at = guest.place(record(kind, start, length));
  expect(guest.raw("fcntl", 3, GETLK, at)).toBe(0);
  const view = new DataView(guest.memory.buffer, at);
  const found = view.getInt16(0, true);
  if (found === NONE) return [];
  return [found, Number(view.getBigInt64(8, true)), Number(view.getBigInt64(16, true)), view.getInt32(24, true)];
};
const waits = async (answer: Promise<number>): Promise<boolean> =>
  (await Promise.race([answer, new Promise((done) => setTimeout(done, 5, "waits"))])) === "waits";

test("record locks: writers exclude, readers share, ranges split and join", () => {
  expect([lock(first, SETLK, WRITE, 0, 10), lock(first, SETLK, WRITE, 10, 10)]).toEqual([0, 0]);
  expect(seen(child, READ, 5, 100)).toEqual([WRITE, 0, 20, 42]);
  expect(seen(first, WRITE, 0, 0)).toEqual([]);
  expect(lock(child, SETLK, READ, 19, 1)).toBe(-Errno.EAGAIN);
  expect([lock(first, SETLK, NONE, 5, 3), lock(child, SETLK, WRITE, 5, 3)]).toEqual([0, 0]);
  expect(seen(first, READ, 0, 0)).toEqual([WRITE, 5, 3, 50]);
  expect(seen(child, READ, 8, 0)).toEqual([WRITE, 8, 12, 42]);
  expect([lock(first, SETLK, READ, 100, 0), lock(child, SETLK, READ, 150, 1)]).toEqual([0, 0]);
  expect(seen(child, WRITE, 120, 1)).toEqual([READ, 100, 0, 42]);
  expect(lock(child, SETLK, 7, 0, 1)).toBe(-Errno.EINVAL);
});

test("a process that closes any descriptor of the file has no record locks there any more; its end does too", () => {
  lock(first, SETLK, WRITE, 0, 0);
  first.one("openat", AT, "f", RD, 0);
  first.one("close", 4);
  expect(lock(child, SETLK, WRITE, 0, 0)).toBe(0);
  expect(lock(first, SETLK, READ, 0, 1)).toBe(-Errno.EAGAIN);
  first.host(HostCall.ExitFiles, 50);
  expect(lock(first, SETLK, READ, 0, 1)).toBe(0);
});

test("F_SETLKW waits for the other; a ring of two is EDEADLK", async () => {
  lock(first, SETLK, WRITE, 0, 1);
  lock(child, SETLK, WRITE, 1, 1);
  const waiting = first.ask("fcntl", [3, SETLKW, 0], record(WRITE, 1, 1));
  expect(await waits(waiting)).toBe(true);
  expect(lock(child, SETLKW, WRITE, 0, 1)).toBe(-Errno.EDEADLK);
  lock(child, SETLK, NONE, 1, 1);
  expect(await waiting).toBe(0);
  const again = child.ask("fcntl", [3, SETLKW, 0], record(WRITE, 0, 1));
  expect(await waits(again)).toBe(true);
});

test("flock belongs to the open file, which fork shares; another one waits", async () => {
  expect(first.one("flock", 3, 2)).toBe("0");
  expect(child.one("flock", 3, 6)).toBe("0");
  child.one("openat", AT, "f", RD, 0);
  expect(child.one("flock", 4, 5)).toBe("EAGAIN");
  const waiting = child.ask("flock", [4, 1]);
  expect(await waits(waiting)).toBe(true);
  first.one("close", 3);
  expect(await waits(waiting)).toBe(true);
  child.one("close", 3);
  expect(await waiting).toBe(0);
});

test("locks of open file descriptions conflict between two of one process", () => {
  first.one("openat", AT, "f", RDWR, 0);
  expect(lock(first, OFD_SETLK, WRITE, 0, 5)).toBe(0);
  expect(lock(first, OFD_SETLK, READ, 4, 5, 4)).toBe(-Errno.EAGAIN);
  expect(lock(child, OFD_SETLK, READ, 4, 5)).toBe(0);
  expect(seen(first, WRITE, 0, 0)).toEqual([WRITE, 0, 4, -1]);
});
