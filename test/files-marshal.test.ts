/** A call's way from guest memory to the service and back: pieces, vectors, bad addresses, in Linux's order of checks. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Errno } from "../src/core/abi/errno";
import { CALL_BYTES } from "../src/run/files/marshal";
import { APPEND, AT, CREAT, NONBLOCK, out, RD, RDWR, WR } from "./support/files-calls";
import { FilesGuest, makeFiles, streams, temporary } from "./support/files-guest";

const BAD = 0x100n;
const END = 1 << 24;
let guest: FilesGuest;
let folder = "";
let end = (): void => {};

beforeEach(() => {
  ({ path: folder, end } = temporary());
  guest = new FilesGuest(makeFiles({ binds: [{ host: folder, guest: "/h", readOnly: false }] }), "/tmp");
});
afterEach(() => end());

const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);

/** struct iovec's in guest memory; their address. */
function vector(...parts: Array<readonly [number | bigint, number | bigint]>): number {
  const bytes = new Uint8Array(parts.length * 16);
  const view = new DataView(bytes.buffer);
  parts.forEach(([base, length], i) => {
    view.setBigUint64(i * 16, BigInt(base), true);
    view.setBigUint64(i * 16 + 8, BigInt.asUintN(64, BigInt(length)), true);
  });
  return guest.place(bytes);
}

test.each(["/tmp/big", "/h/big"])("5 MB go through %s in pieces and come back whole", (path) => {
  const bytes = pattern(5_000_000);
  expect(guest.one("openat", AT, path, CREAT | RDWR, 0o600)).toBe("3");
  const at = guest.place(bytes);
  guest.requests = 0;
  expect(guest.raw("write", 3, at, bytes.length)).toBe(bytes.length);
  expect(guest.requests).toBe(Math.ceil(bytes.length / CALL_BYTES));
  guest.memory.fill(0, at, at + bytes.length);
  expect(guest.raw("pread64", 3, at, bytes.length + 1000, 0)).toBe(bytes.length);
  expect(Buffer.compare(guest.memory.subarray(at, at + bytes.length), bytes)).toBe(0);
  expect(guest.raw("lseek", 3, 0, 1)).toBe(bytes.length);
});

test("vectors are one run of bytes", () => {
  guest.one("openat", AT, "v", CREAT | RDWR, 0o600);
  const [a, b, c] = ["abc", "", "defg"].map((text) => guest.place(text, 16)) as [number, number, number];
  expect(guest.raw("writev", 3, vector([a, 3], [b, 0], [c, 4]), 3)).toBe(7);
  guest.memory.fill(0, a, c + 16);
  expect(guest.raw("lseek", 3, 0, 0)).toBe(0);
  expect(guest.raw("readv", 3, vector([c, 2], [BAD, 0], [a, 16]), 3)).toBe(7);
  expect(Buffer.from(guest.memory.subarray(a, a + 5)).toString()).toBe("cdefg");
  expect(guest.raw("readv", 3, vector([a, 1]), 0)).toBe(0);
});

test("vector limits: 1024 entries, no negative length, the sum cut at what one call may move", () => {
  guest.one("openat", AT, "v", CREAT | RDWR, 0o600);
  const one = guest.place("x");
  const many = (n: number) => vector(...Array.from({ length: n }, () => [one, 1] as const));
  expect(guest.raw("writev", 3, many(1024), 1024)).toBe(1024);
  expect(guest.raw("writev", 3, many(1025), 1025)).toBe(-Errno.EINVAL);
  expect(guest.raw("writev", 3, many(1), -1)).toBe(-Errno.EINVAL);
  expect(guest.raw("writev", 3, vector([one, 1], [one, -1]), 2)).toBe(-Errno.EINVAL);
  expect(guest.raw("writev", 3, BAD, 1)).toBe(-Errno.EFAULT);
  expect(guest.raw("writev", 99, BAD, 1)).toBe(-Errno.EBADF);
  expect(guest.raw("writev", 99, many(1), 5000)).toBe(-Errno.EBADF);
  expect(guest.raw("read", 3, one, -1)).toBe(-Errno.EINVAL);
});

test("what lies before a bad address is moved, and no more", () => {
  const edge = END - 100;
  guest.memory.fill(0x41, edge);
  guest.one("openat", AT, "e", CREAT | RDWR, 0o600);
  expect(guest.raw("write", 3, edge, 200)).toBe(100);
  expect(guest.raw("write", 3, END, 5)).toBe(-Errno.EFAULT);
  expect(guest.raw("write", 3, BAD, 5)).toBe(-Errno.EFAULT);
  expect(guest.raw("write", 3, BAD, 0)).toBe(0);
  expect(guest.one("fstat", 3, out(128))).toBe("file 600 1 100");
  expect(guest.raw("lseek", 3, 50, 0)).toBe(50);
  expect(guest.raw("read", 3, END - 20, 40)).toBe(20);
  expect(guest.raw("lseek", 3, 0, 1)).toBe(70);
  expect(guest.raw("read", 3, BAD, 40)).toBe(-Errno.EFAULT);
  expect(guest.raw("lseek", 3, 0, 1)).toBe(70);
  expect(guest.raw("read", 99, BAD, 40)).toBe(-Errno.EBADF);
  const good = guest.place("good");
  expect(guest.raw("writev", 3, vector([good, 4], [BAD, 4]), 2)).toBe(4);
});

test("what a read of a pipe or stream cannot store stays there: of a pipe the page that it was at, as in Linux", () => {
  const { streams: made, stdio } = streams();
  guest = new FilesGuest(makeFiles({ stdio }), "/tmp");
  made[0]!.input = "typed";
  expect(guest.raw("read", 0, BAD, 5)).toBe(-Errno.EFAULT);
  expect(guest.raw("read", 0, END - 2, 4)).toBe(2);
  expect(guest.one("ioctl", 0, 0x541b, out(4))).toBe("0 3");
  expect([guest.one("read", 0, out(1), 1), guest.one("read", 0, out(9), 9)]).toEqual(['1 "p"', '2 "ed"']);
  guest.one("pipe2", out(8), NONBLOCK);
  guest.one("write", 4, "0123456789", 10);
  expect(guest.one("read", 3, out(4), 4)).toBe('4 "0123"');
  expect(guest.raw("read", 3, BAD, 3)).toBe(-Errno.EFAULT);
  expect(guest.raw("read", 3, END - 2, 6)).toBe(-Errno.EFAULT);
  expect(guest.raw("write", 4, guest.place(pattern(9000)), 9000)).toBe(9000);
  expect(guest.raw("read", 3, END - 900, 3000)).toBe(6 + (9000 % 4096));
  expect(guest.one("ioctl", 3, 0x541b, out(4))).toBe("0 8192");
});

test("a large write that stops at a bad address does not keep others off the file", () => {
  guest.one("openat", AT, "f", CREAT | RDWR, 0o600);
  const room = CALL_BYTES * 2 + 10;
  expect(guest.raw("write", 3, END - room, room + 5000)).toBe(room);
  const other = new FilesGuest(guest.files, "/tmp", 1);
  expect(other.one("write", 3, "after", 5)).toBe("5");
  expect(guest.raw("read", 3, END - room, room + 5000)).toBe(0);
  expect(guest.raw("lseek", 3, 0, 0)).toBe(0);
  expect(guest.raw("read", 3, END - CALL_BYTES - 10, CALL_BYTES * 3)).toBe(CALL_BYTES + 10);
  expect(other.one("pwrite64", 3, "x", 1, 0)).toBe("1");
});

test("paths: bad pointers, 4096 bytes, an end at the edge of memory", () => {
  expect(guest.raw("openat", AT, BAD, RD)).toBe(-Errno.EFAULT);
  expect(guest.raw("openat", 99, BAD, RD)).toBe(-Errno.EFAULT);
  const long = guest.place(`${"/".repeat(4095)}\0`);
  expect(guest.raw("openat", AT, long, RD)).toBe(3);
  const longer = guest.place(`${"/".repeat(4096)}\0`);
  expect(guest.raw("openat", AT, longer, RD)).toBe(-Errno.ENAMETOOLONG);
  guest.memory.set(Buffer.from("/tmp\0"), END - 5);
  expect(guest.raw("openat", AT, END - 5, RD)).toBe(4);
  expect(guest.raw("openat", AT, END - 3, RD)).toBe(-Errno.ENOENT);
  guest.memory.set(Buffer.from("/tmp/"), END - 5);
  expect(guest.raw("openat", AT, END - 5, RD)).toBe(-Errno.EFAULT);
});

test("results that cannot be copied out are EFAULT", () => {
  const path = guest.place("/tmp\0");
  expect(guest.raw("newfstatat", AT, path, BAD, 0)).toBe(-Errno.EFAULT);
  expect(guest.raw("newfstatat", AT, guest.place("none\0"), BAD, 0)).toBe(-Errno.ENOENT);
  expect(guest.raw("getcwd", BAD, 100)).toBe(-Errno.EFAULT);
  expect(guest.raw("getcwd", BAD, 2)).toBe(-Errno.ERANGE);
  expect(guest.raw("utimensat", AT, path, BAD, 0)).toBe(-Errno.EFAULT);
});

test("preadv2 and pwritev2 take a position, -1 for the file's own, and no flags", () => {
  guest.one("openat", AT, "p", CREAT | RDWR, 0o600);
  const text = guest.place("0123456789");
  const parts = vector([text, 5], [text + 5, 5]);
  expect(guest.raw("pwritev", 3, parts, 2, 5)).toBe(10);
  expect(guest.raw("pwritev2", 3, parts, 2, -1, 0, 0)).toBe(10);
  expect(guest.raw("pwritev2", 3, parts, 2, 0, 0, 1)).toBe(-Errno.EOPNOTSUPP);
  expect(guest.raw("pwritev", 3, parts, 2, -1)).toBe(-Errno.EINVAL);
  expect(guest.one("pread64", 3, out(20), 20, 0)).toBe('15 "012345678956789"');
  expect(guest.raw("preadv2", 3, parts, 2, -1, 0, 0)).toBe(5);
  expect(guest.raw("preadv", 3, parts, 2, 0)).toBe(10);
});

test("a large append is one write", () => {
  writeFileSync(join(folder, "log"), "start\n");
  guest.one("openat", AT, "/h/log", WR | APPEND, 0);
  const bytes = pattern(CALL_BYTES * 3);
  expect(guest.raw("write", 3, guest.place(bytes), bytes.length)).toBe(bytes.length);
  const file = readFileSync(join(folder, "log"));
  expect(file.length).toBe(bytes.length + 6);
  expect(Buffer.compare(file.subarray(6), bytes)).toBe(0);
});
