/** Calls that wait: pipes, streams, eventfd, poll and select; cut short by a signal; never answered twice. */
import { beforeEach, expect, test } from "vitest";
import { Errno } from "../src/core/abi/errno";
import type { Files } from "../src/run/files/files";
import { Open } from "../src/run/files/linux";
import { CALL_BYTES, Chunk } from "../src/run/files/marshal";
import { HostCall } from "../src/run/files/service";
import { AT, CREAT, NONBLOCK, out, RDWR } from "./support/files-calls";
import { FilesGuest, makeFiles, streams, type TestStream } from "./support/files-guest";

let files: Files;
/** Threads of one guest. */
let a: FilesGuest;
let b: FilesGuest;
let stdin: TestStream;
let stdout: TestStream;

beforeEach(() => {
  const { streams: made, stdio } = streams();
  [stdin, stdout] = made as [TestStream, TestStream, TestStream];
  files = makeFiles({ stdio });
  a = new FilesGuest(files, "/tmp", 0);
  b = new FilesGuest(files, "/tmp", 1);
});

/** Still waiting after everything that can happen by itself has happened. */
async function waits(answer: Promise<number>): Promise<boolean> {
  const none = Symbol();
  return (await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 5, none))])) === none;
}
const words = (...entries: Array<readonly [fd: number, events: number]>): string =>
  entries
    .map(([fd, events]) =>
      String.fromCharCode(fd & 255, fd < 0 ? 255 : 0, fd < 0 ? 255 : 0, fd < 0 ? 255 : 0, events, 0, 0, 0),
    )
    .join("");
const [IN, OUT, ERR, HUP, NVAL] = [1, 4, 8, 16, 32];
const revents = (guest: FilesGuest, count: number): number[] =>
  Array.from({ length: count }, (_, i) => guest.text(count * 8).charCodeAt(i * 8 + 6));

test("a read of an empty pipe waits for a write, a write to a full one for a read", async () => {
  a.one("pipe2", out(8), 0);
  const reading = a.ask("read", [3, 0, 10]);
  expect(await waits(reading)).toBe(true);
  expect(b.one("write", 4, "hello", 5)).toBe("5");
  expect([await reading, a.text(5)]).toEqual([5, "hello"]);
  for (let i = 0; i < 16; i++) expect(b.one("write", 4, "z".repeat(4096), 4096)).toBe("4096");
  const writing = b.ask("write", [4, 0, 5], "world");
  expect(await waits(writing)).toBe(true);
  expect(a.one("read", 3, out(1), 1)).toBe('1 "z"');
  expect(await waits(writing)).toBe(true);
  expect(a.raw("read", 3, a.place("", 60000), 60000)).toBe(60000);
  expect(await writing).toBe(5);
});

test("bytes that come back wake who waits for them, and come back to the file that was read, whatever has its number", async () => {
  stdin.input = "typed";
  expect(await a.ask("read", [0, 0, 5])).toBe(5);
  const waiting = b.ask("read", [0, 0, 9]);
  expect(await waits(waiting)).toBe(true);
  expect(a.host(HostCall.GiveBack, 1, 5)).toBe(1);
  expect([await waiting, b.text(4)]).toEqual([4, "yped"]);
  a.run([
    ["pipe2", out(8), 0],
    ["pipe2", out(8), 0],
  ]);
  a.one("write", 4, "mine", 4);
  expect(await a.ask("read", [3, 0, 4])).toBe(4);
  b.run([
    ["dup", 3],
    ["dup3", 5, 3, 0],
  ]);
  expect(a.host(HostCall.GiveBack, 2, 4)).toBe(0);
  expect(b.one("ioctl", 3, 0x541b, out(4))).toBe("0 0");
  expect(b.one("read", 7, out(4), 4)).toBe('4 "mine"');
});

test("a large read goes back to a pipe that another has read from since, before what is left there", async () => {
  a.one("pipe2", out(8), NONBLOCK);
  const bytes = Array.from({ length: 12000 }, (_, i) => String.fromCharCode(97 + (i % 23))).join("");
  expect(b.raw("write", 4, b.place(bytes), bytes.length)).toBe(bytes.length);
  expect(await a.ask("read", [3, 0, 9000])).toBe(9000);
  expect(await b.ask("read", [3, 0, 10])).toBe(10);
  const kept = a.host(HostCall.GiveBack, 5000, 9000);
  expect(kept).toBe(4096);
  const rest = bytes.slice(kept, 9000) + bytes.slice(9010);
  const at = a.place("", rest.length + 1);
  expect(a.raw("read", 3, at, rest.length + 1)).toBe(rest.length);
  expect(Buffer.from(a.memory.subarray(at, at + rest.length)).toString("latin1") === rest).toBe(true);
});

test("what goes back never moves a position below the beginning, where another thread has set it meanwhile", async () => {
  a.one("openat", AT, "f", CREAT | RDWR, 0o600);
  a.one("write", 3, "contents", 8);
  a.one("lseek", 3, 0, 0);
  expect(await a.ask("read", [3, 0, 8])).toBe(8);
  b.one("lseek", 3, 2, 0);
  a.host(HostCall.GiveBack, 1, 8);
  expect(b.one("read", 3, out(9), 9)).toBe('8 "contents"');
});

test("closing an end wakes the other: 0 for the reader, EPIPE for the writer", async () => {
  a.run([
    ["pipe2", out(8), 0],
    ["pipe2", out(8), 0],
  ]);
  const reading = a.ask("read", [3, 0, 10]);
  b.one("close", 4);
  expect(await reading).toBe(0);
  while (b.one("fcntl", 6, 4, NONBLOCK) === "0" && b.raw("write", 6, b.place("z", 4096), 4096) > 0);
  b.one("fcntl", 6, 4, 0);
  const writing = b.ask("write", [6, 0, 10], "0123456789");
  expect(await waits(writing)).toBe(true);
  a.one("close", 5);
  expect(await writing).toBe(-Errno.EPIPE);
});

test("a signal cuts a wait short: EINTR when nothing moved, else what did", async () => {
  a.one("pipe2", out(8), 0);
  const reading = a.ask("read", [3, 0, 10]);
  files.cancel(0);
  expect(await reading).toBe(-Errno.EINTR);
  b.one("write", 4, "kept", 4);
  expect(a.one("read", 3, out(9), 9)).toBe('4 "kept"');
  b.raw("write", 4, b.place("", 60000), 60000);
  const writing = b.ask("write", [4, 0, 50000], "y".repeat(50000));
  expect(await waits(writing)).toBe(true);
  files.cancel(1);
  // What is not whole pages joins the last one, which has room for it; then one page is free.
  expect(await writing).toBe((50000 % 4096) + 4096);
  files.cancel(1);
  files.cancel(7);
});

test("a descriptor closed while another thread waits on it stays open for that thread", async () => {
  a.one("pipe2", out(8), 0);
  const reading = a.ask("read", [3, 0, 10]);
  b.one("close", 3);
  expect(b.one("write", 4, "late", 4)).toBe("4");
  expect([await reading, a.text(4)]).toEqual([4, "late"]);
  expect(b.one("write", 4, "x", 1)).toBe("EPIPE");
});

test("O_NONBLOCK set by another thread or descriptor is seen at the next call", async () => {
  a.run([
    ["pipe2", out(8), 0],
    ["dup", 3],
    ["fcntl", 5, 4, NONBLOCK],
  ]);
  expect(await a.ask("read", [3, 0, 1])).toBe(-Errno.EAGAIN);
});

test("once bytes of a call have moved, a read does not wait for more", async () => {
  stdin.input = "x";
  expect(await a.ask("read", [0, 0, 5])).toBe(1);
  expect(await a.ask("read", [0, 0, 5], "", Chunk.Continues)).toBe(-Errno.EAGAIN);
});

test("stdin that has nothing yet waits; its end is 0", async () => {
  const reading = a.ask("read", [0, 0, 100]);
  expect(await waits(reading)).toBe(true);
  stdin.tell();
  expect(await waits(reading)).toBe(true);
  stdin.input = "line\n";
  stdin.tell();
  expect([await reading, a.text(5)]).toEqual([5, "line\n"]);
  stdin.ended = true;
  expect(await a.ask("read", [0, 0, 100])).toBe(0);
});

test("stdout that is full waits for room and loses nothing", async () => {
  stdout.refuses = Errno.EAGAIN;
  const writing = a.ask("write", [1, 0, 4], "text");
  expect(await waits(writing)).toBe(true);
  stdout.refuses = 0;
  stdout.tell();
  expect(await writing).toBe(4);
  expect(stdout.written).toBe("text");
  stdout.refuses = Errno.EPIPE;
  expect(await a.ask("write", [1, 0, 4], "text")).toBe(-Errno.EPIPE);
});

test("a stream is done with when its last descriptor is closed", () => {
  a.run([
    ["dup", 1],
    ["close", 1],
  ]);
  expect(stdout.closed).toBe(false);
  a.one("close", 3);
  expect(stdout.closed).toBe(true);
  expect(a.one("openat", AT, "/dev/null", RDWR, 0)).toBe("1");
});

test("a file's large write keeps others off until it is whole", async () => {
  a.one("openat", AT, "f", CREAT | RDWR, 0o600);
  expect(await a.ask("write", [3, 0, CALL_BYTES], "a".repeat(CALL_BYTES), Chunk.More)).toBe(CALL_BYTES);
  const other = b.ask("write", [3, 0, 1], "b");
  expect(await waits(other)).toBe(true);
  expect(await a.ask("write", [3, 0, 2], "AA", Chunk.Continues)).toBe(2);
  expect(await other).toBe(1);
  expect(a.one("pread64", 3, out(5), 5, CALL_BYTES)).toBe('3 "AAb"');
});

test("eventfd: a read waits for a count, a write for room", async () => {
  a.one("eventfd2", 0, 0);
  const reading = a.ask("read", [3, 0, 8]);
  expect(await waits(reading)).toBe(true);
  b.one("write", 3, "\x05\0\0\0\0\0\0\0", 8);
  expect([await reading, a.text(1)]).toEqual([8, "\x05"]);
  b.one("write", 3, `\xfe${"\xff".repeat(7)}`, 8);
  const writing = b.ask("write", [3, 0, 8], "\x01\0\0\0\0\0\0\0");
  expect(await waits(writing)).toBe(true);
  expect(await a.ask("read", [3, 0, 8])).toBe(8);
  expect(await writing).toBe(8);
});

test("ppoll says what is ready at once, and what is wrong with a descriptor", async () => {
  a.run([
    ["pipe2", out(8), 0],
    ["openat", AT, "f", CREAT | RDWR, 0o600],
    ["openat", AT, "f", Open.Path, 0],
  ]);
  const entries = words([3, IN], [4, OUT], [5, IN | OUT], [99, IN], [-1, IN], [6, IN]);
  expect(await a.ask("ppoll", [0, 6, -1, -1, 0], entries)).toBe(4);
  expect(revents(a, 6)).toEqual([0, OUT, IN | OUT, NVAL, 0, NVAL]);
  a.one("close", 4);
  expect(await a.ask("ppoll", [0, 1, -1, -1, 0], words([3, 0]))).toBe(1);
  expect(revents(a, 1)).toEqual([HUP]);
  a.run([
    ["pipe2", out(8), 0],
    ["close", 4],
  ]);
  expect(await a.ask("ppoll", [0, 1, -1, -1, 0], words([7, OUT]))).toBe(1);
  expect(revents(a, 1)).toEqual([OUT | ERR]);
  expect(await a.ask("ppoll", [0, 5000, -1])).toBe(-Errno.EINVAL);
});

const time = (seconds: number, nanoseconds: number): string => {
  const bytes = Buffer.alloc(16);
  bytes.writeBigInt64LE(BigInt(seconds), 0);
  bytes.writeBigInt64LE(BigInt(nanoseconds), 8);
  return bytes.toString("latin1");
};

test("ppoll waits for a change, for its time, or for a signal", async () => {
  a.one("pipe2", out(8), 0);
  const polling = a.ask("ppoll", [0, 2, -1, -1, 0], words([3, IN], [0, IN]));
  expect(await waits(polling)).toBe(true);
  b.one("write", 4, "x", 1);
  expect([await polling, revents(a, 2)]).toEqual([1, [IN, 0]]);
  a.one("read", 3, out(1), 1);
  const started = performance.now();
  expect(await a.ask("ppoll", [0, 1, 8, -1, 0], words([3, IN]) + time(0, 30_000_000))).toBe(0);
  expect(performance.now() - started).toBeGreaterThanOrEqual(29);
  expect(await a.ask("ppoll", [0, 1, 8, -1, 0], words([3, IN]) + time(0, 0))).toBe(0);
  expect(await a.ask("ppoll", [0, 1, 8, -1, 0], words([3, IN]) + time(0, 1e9))).toBe(-Errno.EINVAL);
  expect(await a.ask("ppoll", [0, 1, 8, -1, 0], words([3, IN]) + time(-1, 0))).toBe(-Errno.EINVAL);
  const cut = a.ask("ppoll", [0, 1, -1, -1, 0], words([3, IN]));
  files.cancel(0);
  expect(await cut).toBe(-Errno.EINTR);
});

test("pselect6 leaves in the sets what is ready and counts it", async () => {
  a.one("pipe2", out(8), 0);
  b.one("write", 4, "x", 1);
  const set = (...fds: number[]): string => {
    const bytes = Buffer.alloc(8);
    for (const fd of fds) bytes[fd >> 3] |= 1 << (fd & 7);
    return bytes.toString("latin1");
  };
  expect(await a.ask("pselect6", [5, 0, 8, 16, -1, -1], set(3) + set(4) + set(3, 4))).toBe(2);
  expect(a.text(24)).toBe(set(3) + set(4) + set());
  expect(await a.ask("pselect6", [6, 0, -1, -1, -1, -1], set(5))).toBe(-Errno.EBADF);
  expect(await a.ask("pselect6", [5, 0, -1, -1, -1, -1], set(3, 5))).toBe(1);
  expect(await a.ask("pselect6", [-1, -1, -1, -1, -1, -1])).toBe(-Errno.EINVAL);
  expect(await a.ask("pselect6", [0, -1, -1, -1, 0, -1], time(0, 1_000_000))).toBe(0);
});

test("a mapped object outlives its descriptor and its name", async () => {
  a.run([
    ["openat", AT, "m", CREAT | RDWR, 0o600],
    ["write", 3, "page", 4],
  ]);
  const map = (...args: number[]): number => a.request(HostCall.MapObject, args.map(BigInt), 0);
  const object = map(3, 1, 2);
  expect(object).toBeGreaterThan(0);
  a.run([
    ["close", 3],
    ["unlinkat", AT, "m", 0],
  ]);
  const page = (offset: number): number => a.pages(HostCall.ReadPages, object, offset, [new Uint8Array(4096)]);
  expect([page(0), page(4096)]).toEqual([1, 0]);
  expect(a.request(HostCall.ReleaseObject, [BigInt(object)], 0)).toBe(0);
  expect(page(0)).toBe(-Errno.EBADF);
  a.run([
    ["openat", AT, "w", CREAT | 1, 0o600],
    ["openat", AT, "w", 0, 0],
    ["openat", AT, ".", 0, 0],
  ]);
  expect([map(3, 1, 2), map(4, 3, 1), map(5, 1, 2), map(99, 1, 2), map(1, 1, 2)]).toEqual(
    [Errno.EACCES, Errno.EACCES, Errno.ENODEV, Errno.EBADF, Errno.EACCES].map((errno) => -errno),
  );
});

test("ending the machine answers every wait", async () => {
  a.one("pipe2", out(8), 0);
  const reading = a.ask("read", [3, 0, 10]);
  const other = b.ask("read", [0, 0, 10]);
  await files.close();
  expect([await reading, await other]).toEqual([-Errno.EINTR, -Errno.EINTR]);
});
