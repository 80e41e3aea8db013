/** Files of many processes: what fork copies and shares, what exec closes, what exit ends. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Errno } from "../src/core/abi/errno";
import type { Files } from "../src/run/files/files";
import { Clone } from "../src/run/files/process";
import { HostCall } from "../src/run/files/service";
import { TestCache } from "./support/files-cache";
import { AT, CLOEXEC, CREAT, DIRECTORY, out, RD, RDWR } from "./support/files-calls";
import { FilesGuest, makeFiles, temporary } from "./support/files-guest";

let folder = "";
let end = (): void => {};
let files: Files;
let first: FilesGuest;
beforeEach(() => {
  ({ path: folder, end } = temporary());
  files = makeFiles({ binds: [{ host: folder, guest: "/h", readOnly: false }] });
  first = new FilesGuest(files, "/tmp", 0, 42);
});
afterEach(() => end());

function fork(parent: FilesGuest, pid: number, flags = 0): FilesGuest {
  expect(parent.host(HostCall.ForkFiles, pid, flags)).toBe(0);
  return new FilesGuest(files, "/tmp", pid, pid);
}

test("fork shares open files, position included, and copies their numbers", () => {
  first.one("openat", AT, "f", CREAT | RDWR, 0o600);
  first.one("write", 3, "abcdef", 6);
  first.one("lseek", 3, 0, 0);
  const child = fork(first, 50);
  expect(child.one("read", 3, out(2), 2)).toBe('2 "ab"');
  expect(first.one("read", 3, out(2), 2)).toBe('2 "cd"');
  expect(child.one("close", 3)).toBe("0");
  expect(child.one("read", 3, out(2), 2)).toBe("EBADF");
  expect(first.one("read", 3, out(2), 2)).toBe('2 "ef"');
});

test("CLONE_FILES shares the numbers, CLONE_FS the working directory and umask", () => {
  first.one("mkdirat", AT, "d", 0o755);
  const apart = fork(first, 50);
  const table = fork(first, 51, Clone.Files);
  const both = fork(first, 52, Clone.Files | Clone.Fs);
  expect(table.one("openat", AT, "f", CREAT | RDWR, 0o600)).toBe("3");
  expect([first, apart, both].map((guest) => guest.one("lseek", 3, 0, 1))).toEqual(["0", "EBADF", "0"]);
  both.run([
    ["chdir", "d"],
    ["umask", 0o77],
  ]);
  expect([first, apart, table, both].map((guest) => guest.one("getcwd", out(20), 20))).toEqual([
    ...["./d", ".", ".", "./d"],
  ]);
  expect([first, apart, table, both].map((guest) => guest.one("umask", 0o22))).toEqual(["63", "18", "18", "18"]);
});

test("the end of a process closes what only it had open: the other end of its pipe sees it", async () => {
  first.one("pipe2", out(8), 0);
  const child = fork(first, 50);
  const sharing = fork(child, 51, Clone.Files);
  first.one("close", 4);
  const reading = first.ask("read", [3, 0, 10]);
  expect(sharing.host(HostCall.ExitFiles, 51)).toBe(0);
  expect(child.one("write", 4, "last", 4)).toBe("4");
  expect(await reading).toBe(4);
  const atEnd = first.ask("read", [3, 0, 10]);
  expect(first.host(HostCall.ExitFiles, 50)).toBe(0);
  expect(await atEnd).toBe(0);
  expect(child.one("close", 3)).toBe("ESRCH");
  expect(first.host(HostCall.ExitFiles, 50)).toBe(-Errno.ESRCH);
  expect(first.host(HostCall.ForkFiles, 42, 0)).toBe(-Errno.EEXIST);
});

test("a process that ends in the middle of a large write keeps nobody from the file", async () => {
  first.one("openat", AT, "f", CREAT | RDWR, 0o600);
  const child = fork(first, 50);
  const more = 1;
  expect(await child.ask("write", [3, 0, 4], "half", more)).toBe(4);
  const waiting = first.ask("write", [3, 0, 4], "next");
  expect(await Promise.race([waiting, new Promise((done) => setTimeout(done, 5, "waits"))])).toBe("waits");
  child.host(HostCall.ExitFiles, 50);
  expect(await waiting).toBe(4);
});

/** OpenProgram of `path`, its head at 8192 of the bounce buffer. */
function openProgram(guest: FilesGuest, path: string, flags = 0, fd: number = AT) {
  guest.put(0, `${path}\0`);
  const object = guest.host(HostCall.OpenProgram, fd, 0, 8192, flags);
  const view = new DataView(guest.bounced(8192 + 4096, 4096).buffer);
  const [head, length] = [view.getUint32(0, true), view.getUint32(4, true)];
  const text = (at: number, count: number): string => Buffer.from(guest.bounced(at, count)).toString("latin1");
  return { object, head: text(8192, head), path: text(8192 + 4096 + 16, length), size: view.getBigUint64(8, true) };
}

test("a program is opened as execve opens it, and becomes the process's", () => {
  const cache = new TestCache();
  files.connect({ cache });
  writeFileSync(join(folder, "prog"), `\x7fELF${"x".repeat(9000)}`);
  chmodSync(join(folder, "prog"), 0o755);
  first.one("symlinkat", "/h/prog", AT, "/tmp/name");
  first.run([
    ["openat", AT, "a", CREAT | RDWR, 0o600],
    ["openat", AT, "b", CREAT | RDWR | CLOEXEC, 0o600],
  ]);
  const child = fork(first, 50);
  const { object, head, path, size } = openProgram(child, "name");
  expect([head.slice(0, 4), head.length, path, size]).toEqual(["\x7fELF", 4096, "/h/prog", 9004n]);
  expect(cache.of(object).references).toBe(1);
  child.put(0, "name\0-v\0");
  child.put(100, "name");
  expect(child.host(HostCall.ExecFiles, object, 0, 8, 100, 4)).toBe(0);
  expect([child.one("lseek", 3, 0, 1), child.one("lseek", 4, 0, 1), first.one("lseek", 4, 0, 1)]).toEqual([
    ...["0", "EBADF", "0"],
  ]);
  const whole = (name: string): string => {
    const fd = child.raw("openat", AT, child.place(`/proc/self/${name}\0`), RD);
    const text = child.one("read", fd, out(60), 60);
    child.one("close", fd);
    return text;
  };
  expect(whole("cmdline")).toBe('8 "name\\u0000-v\\u0000"');
  expect(whole("comm")).toBe('5 "name\\n"');
  expect(first.one("readlinkat", AT, "/proc/50/exe", out(40), 40)).toBe('7 "/h/prog"');
  expect(child.host(HostCall.ExecFiles, 99, 0, 0, 0, 0)).toBe(-Errno.EBADF);
});

test("a file without a name is a program too, by its descriptor", () => {
  first.raw("memfd_create", first.place("prog\0"), 1);
  first.one("write", 3, "\x7fELF", 4);
  const { object, head, path } = openProgram(first, "", 0x1000, 3);
  expect([head, path]).toEqual(["\x7fELF", "/dev/fd/3"]);
  expect(first.host(HostCall.ExecFiles, object, 0, 0, 0, 0)).toBe(0);
  expect(first.one("readlinkat", AT, "/proc/self/exe", out(40), 40)).toBe('21 "/memfd:prog (deleted)"');
  expect(first.one("read", 3, out(4), 4)).toBe("EBADF");
  expect(first.one("openat", AT, "/proc/self/exe", RD, 0)).toBe("3");
  expect(first.one("read", 3, out(4), 4)).toBe('4 "\x7fELF"');
});

test("exec leaves a shared table to the others", () => {
  writeFileSync(join(folder, "prog"), "#!");
  chmodSync(join(folder, "prog"), 0o755);
  first.one("openat", AT, "b", CREAT | RDWR | CLOEXEC, 0o600);
  const child = fork(first, 50, Clone.Files);
  child.host(HostCall.ExecFiles, openProgram(child, "/h/prog").object, 0, 0, 0, 0);
  expect([child.one("lseek", 3, 0, 1), first.one("lseek", 3, 0, 1)]).toEqual(["EBADF", "0"]);
  expect(child.one("openat", AT, "/h/prog", RD, 0)).toBe("3");
  expect(first.one("close", 4)).toBe("EBADF");
});

test("what cannot be run: errors as execve's", () => {
  writeFileSync(join(folder, "data"), "x");
  writeFileSync(join(folder, "run"), "x");
  chmodSync(join(folder, "run"), 0o755);
  first.run([
    ["symlinkat", "loop", AT, "/tmp/loop"],
    ["symlinkat", "/h/run", AT, "/tmp/link"],
    ["openat", AT, "/h/run", RD, 0],
    ["openat", AT, "/h", DIRECTORY, 0],
  ]);
  const errno = (path: string, flags = 0, fd: number = AT): number => -openProgram(first, path, flags, fd).object;
  const [empty, noFollow] = [0x1000, 0x100];
  expect([
    errno("/h/data"),
    errno("/h"),
    errno("/dev/null"),
    errno("none"),
    errno("/h/run/x"),
    errno("loop"),
    errno("link", noFollow),
    errno("n".repeat(256)),
    errno(""),
    errno("run", 8),
    errno("run", 0, 77),
  ]).toEqual([
    ...[Errno.EACCES, Errno.EACCES, Errno.EACCES, Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP, Errno.ELOOP],
    ...[Errno.ENAMETOOLONG, Errno.ENOENT, Errno.EINVAL, Errno.EBADF],
  ]);
  expect(openProgram(first, "", empty, 3).path).toBe("/h/run");
  expect(openProgram(first, "run", 0, 4).path).toBe("/h/run");
});
