/** /proc of many processes: whose is whose, and the texts in Linux's format. */
import { existsSync, readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import type { Files } from "../src/run/files/files";
import { HostCall, type ProcessFacts, type VmaFact } from "../src/run/files/service";
import { TestCache } from "./support/files-cache";
import { AT, CREAT, DIRECTORY, out, RD, RDWR } from "./support/files-calls";
import { FilesGuest, makeFiles } from "./support/files-guest";

let files: Files;
let first: FilesGuest;
let child: FilesGuest;
beforeEach(() => {
  files = makeFiles({ owner: { uid: 10, gid: 20 } });
  first = new FilesGuest(files, "/tmp", 0, 42);
  first.host(HostCall.ForkFiles, 50, 0);
  child = new FilesGuest(files, "/tmp", 1, 50);
});

const whole = (guest: FilesGuest, path: string): string => {
  const fd = guest.raw("openat", AT, guest.place(`${path}\0`), RD);
  if (fd < 0) return String(fd);
  const at = guest.place("", 4096);
  const length = guest.raw("read", fd, at, 4096);
  guest.raw("close", fd);
  return Buffer.from(guest.memory.subarray(at, at + length)).toString("latin1");
};
const list = (guest: FilesGuest, path: string): string[] => {
  const fd = guest.raw("openat", AT, guest.place(`${path}\0`), DIRECTORY);
  const names = guest.one("getdents64", fd, out(8000), 8000).split(" ");
  guest.one("close", fd);
  return names.map((name) => name.replace(/:.*/, "")).filter((name) => !name.startsWith("."));
};
const link = (guest: FilesGuest, path: string): string => guest.one("readlinkat", AT, path, out(200), 200);

describe("directories", () => {
  test("one a live process; self and thread-self are whoever asks", () => {
    expect(list(first, "/proc").filter((name) => /^\d+$/.test(name))).toEqual(["42", "50"]);
    expect([link(first, "/proc/self"), link(child, "/proc/self")]).toEqual(['2 "42"', '2 "50"']);
    expect(link(child, "/proc/thread-self")).toBe('10 "50/task/50"');
    first.host(HostCall.ExitFiles, 50);
    expect(first.one("newfstatat", AT, "/proc/50", out(128), 0)).toBe("ENOENT");
  });

  test("each shows its own working directory and descriptors", () => {
    first.one("mkdirat", AT, "d", 0o755);
    child.run([
      ["chdir", "d"],
      ["openat", AT, "f", CREAT | RDWR, 0o600],
    ]);
    expect([link(first, "/proc/50/cwd"), link(first, "/proc/self/cwd")]).toEqual(['6 "/tmp/d"', '4 "/tmp"']);
    expect(link(first, "/proc/50/fd/3")).toBe('8 "/tmp/d/f"');
    expect(first.one("openat", AT, "/proc/50/fd/3", RD, 0)).toBe("3");
    expect(link(first, "/proc/50/fd/4")).toBe("ENOENT");
  });

  test("removed files and directories keep their last name, and say so", () => {
    first.run([
      ["mkdirat", AT, "d", 0o755],
      ["openat", AT, "d/f", CREAT | RDWR, 0o600],
      ["renameat2", AT, "d/f", AT, "d/g", 0],
      ["openat", AT, "d", DIRECTORY, 0],
    ]);
    expect(link(first, "/proc/self/fd/3")).toBe('8 "/tmp/d/g"');
    first.run([
      ["unlinkat", AT, "d/g", 0],
      ["unlinkat", AT, "d", 0x200],
    ]);
    expect(link(first, "/proc/self/fd/3")).toBe('18 "/tmp/d/g (deleted)"');
    expect(link(first, "/proc/self/fd/4")).toBe('16 "/tmp/d (deleted)"');
  });

  test("a process opened before it ended has nothing in it any more", () => {
    first.one("openat", AT, "/proc/50", DIRECTORY, 0);
    first.host(HostCall.ExitFiles, 50);
    expect(first.one("openat", 3, "status", RD, 0)).toBe("ENOENT");
  });

  test("what the machine does not know is not there", () => {
    expect(list(first, "/proc/50").sort()).toEqual([
      ...["cmdline", "comm", "cwd", "exe", "fd", "mounts", "root", "status", "task"],
    ]);
    files.connect({ facts: { maps: () => [], usage: () => undefined } });
    expect(list(first, "/proc/50").length).toBe(13);
  });

  test("a thread has a directory in its process's task", () => {
    files.connect({ facts: { threads: (pid) => (pid === 50 ? [50, 51, 52] : [pid]), name: (tid) => `t${tid}` } });
    expect(list(first, "/proc/50/task")).toEqual(["50", "51", "52"]);
    expect(whole(first, "/proc/50/task/52/comm")).toBe("t52\n");
    expect(whole(first, "/proc/50/task/52/status")).toMatch(/^Name:\tt52\n(.*\n)*Tgid:\t50\nNgid:\t0\nPid:\t52\n/);
    expect(first.one("newfstatat", AT, "/proc/50/task/52/task", out(128), 0)).toBe("ENOENT");
    expect(first.one("newfstatat", AT, "/proc/50/task/42", out(128), 0)).toBe("ENOENT");
  });
});

describe("texts", () => {
  const usage = { peak: 9 << 20, size: 8 << 20, resident: 3 << 20, data: 1 << 20, stack: 132 << 10, code: 64 << 10 };
  const facts: ProcessFacts = {
    usage: () => usage,
    parent: (pid) => (pid === 50 ? 42 : 0),
    threads: (pid) => [pid, 99],
  };

  test("status", () => {
    files.connect({ facts });
    expect(whole(child, "/proc/self/status").split("\n")).toEqual([
      ...["Name:\t", "Umask:\t0022", "State:\tR (running)", "Tgid:\t50", "Ngid:\t0", "Pid:\t50", "PPid:\t42"],
      ...["TracerPid:\t0", "Uid:\t10\t10\t10\t10", "Gid:\t20\t20\t20\t20"],
      ...["VmPeak:\t    9216 kB", "VmSize:\t    8192 kB", "VmRSS:\t    3072 kB", "VmData:\t    1024 kB"],
      ...["VmStk:\t     132 kB", "VmExe:\t      64 kB", "Threads:\t2", ""],
    ]);
    expect(whole(child, "/proc/42/status")).toContain("State:\tS (sleeping)\n");
  });

  test.runIf(existsSync("/proc/self/status"))("the lines of status come in the order of this machine's kernel", () => {
    const every = { ...usage, locked: 0, residentPeak: 1, residentAnon: 1, residentFile: 1, residentShared: 1 };
    files.connect({ facts: { ...facts, usage: () => ({ ...every, tables: 1, swapped: 0 }) } });
    const names = (text: string): string[] => text.split("\n").map((line) => line.replace(/:.*/, ""));
    const kernel = names(readFileSync("/proc/self/status", "latin1"));
    const ours = names(whole(first, "/proc/self/status"));
    expect(ours.length).toBe(25);
    expect(kernel.filter((name) => ours.includes(name))).toEqual(ours);
  });

  test("statm and stat", () => {
    files.connect({ facts });
    expect(whole(child, "/proc/self/statm")).toBe("2048 768 0 16 0 289 0\n");
    const stat = whole(child, "/proc/self/stat").split(" ");
    expect(stat.length).toBe(52);
    expect([0, 1, 2, 3, 19, 22, 23].map((index) => stat[index])).toEqual([
      "50",
      "()",
      "R",
      "42",
      "2",
      "8388608",
      "768",
    ]);
  });

  test("maps: as the kernel writes them, files by name", () => {
    const cache = new TestCache();
    let vmas: VmaFact[] = [];
    files.connect({ cache, facts: { maps: () => vmas } });
    const map = (fd: number): number => first.host(HostCall.MapObject, fd, 1, 1, 0);
    first.run([
      ["openat", AT, "lib", CREAT | RDWR, 0o600],
      ["openat", AT, "new\nline", CREAT | RDWR, 0o600],
      ["openat", AT, "/dev/zero", RDWR, 0],
    ]);
    first.raw("memfd_create", first.place("buffer\0"), 0);
    const objects = [3, 4, 5, 6].map(map);
    const vma = (page: number, flags: number, object: number | undefined, name = "", offset = 0n): VmaFact => {
      const start = BigInt(page) << 12n;
      return { start, end: start + 0x2000n, flags, object: object ?? 0, offset, name };
    };
    vmas = [
      vma(0x10, 5, objects[0]),
      vma(0x3ffffe0, 3, objects[0], "", 0x1000n),
      vma(0x3fffff0, 11, objects[1]),
      vma(0x3fffff2, 8, objects[2]),
      vma(0x3fffff4, 9, objects[3]),
      vma(0x3fffff6, 3, 0, "[heap]"),
      vma(0x3fffff8, 0, 0),
      { ...vma(0x3fffffa, 11, 0, "/dev/zero (deleted)"), inode: 7 },
    ];
    const ino = first.place("", 128);
    first.raw("fstat", 3, ino);
    const number = (at: number): bigint => new DataView(first.memory.buffer).getBigUint64(at, true);
    const inode = number(ino + 8);
    first.one("unlinkat", AT, "lib", 0);
    const text = whole(first, "/proc/self/maps").split("\n");
    const dev = "[0-9a-f]{2}:[0-9a-f]{2,} ";
    const named = (line: string | undefined, head: string, name: string): void => {
      expect(line).toMatch(new RegExp(`^${head}${dev}\\d+ +`));
      expect(line?.slice(72)).toBe(` ${name}`);
    };
    expect(text.length).toBe(9);
    named(text[0], "00010000-00012000 r-xp 00000000 ", "/tmp/lib (deleted)");
    expect(text[0]).toContain(` ${inode} `);
    named(text[1], "3ffffe0000-3ffffe2000 rw-p 00001000 ", "/tmp/lib (deleted)");
    named(text[2], "3fffff0000-3fffff2000 rw-s 00000000 ", "/tmp/new\\012line");
    named(text[3], "3fffff2000-3fffff4000 ---s 00000000 ", "/dev/zero (deleted)");
    named(text[4], "3fffff4000-3fffff6000 r--s 00000000 ", "/memfd:buffer (deleted)");
    named(text[5], "3fffff6000-3fffff8000 rw-p 00000000 ", "[heap]");
    expect(text[6]).toBe("3fffff8000-3fffffa000 ---p 00000000 00:00 0 ");
    expect(text[7]).toMatch(/^3fffffa000-3fffffc000 rw-s 00000000 00:01 7 {30}\/dev\/zero \(deleted\)$/);
  });

  test.runIf(existsSync("/proc/self/maps"))("the columns of maps are those of this machine's kernel", () => {
    const kernel =
      readFileSync("/proc/self/maps", "latin1")
        .split("\n")
        .find((line) => line.endsWith("[stack]")) ?? "";
    files.connect({
      facts: {
        maps: () => [
          { start: 0x7ffd00000000n, end: 0x7ffd00021000n, flags: 3, object: 0, offset: 0n, name: "[stack]" },
        ],
      },
    });
    const [ours] = whole(first, "/proc/self/maps").split("\n") as [string];
    const addresses = /^[0-9a-f]+-[0-9a-f]+/;
    expect(ours.replace(addresses, "")).toBe(kernel.replace(addresses, ""));
  });
});
