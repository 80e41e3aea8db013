/** What the guest's tree is made of: memory, /dev, /proc, directories given, the program; and what it says of itself. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Errno } from "../src/core/abi/errno";
import { Fail } from "../src/run/files/fail";
import type { FilesOptions } from "../src/run/files/files";
import type { HostTerminal } from "../src/run/files/host";
import { BindError } from "../src/run/files/mounts";
import { HostCall, ProgramError } from "../src/run/files/service";
import { parseBind } from "../src/run/node/binds";
import { AT, type Call, CREAT, DIRECTORY, NOFOLLOW, out, PATH, RD, RDWR, WR } from "./support/files-calls";
import { FilesGuest, makeFiles, streams, TestStream, temporary } from "./support/files-guest";

let folder = "";
let end = (): void => {};
beforeEach(() => {
  ({ path: folder, end } = temporary());
});
afterEach(() => end());

const guestOf = (options: Partial<FilesOptions> = {}): FilesGuest => new FilesGuest(makeFiles(options), "/tmp");
const given = (host: string, guest: string, readOnly = false) => ({ host, guest, readOnly });
const list = (guest: FilesGuest, path: string): string => {
  const fd = guest.raw("openat", AT, guest.place(`${path}\0`), DIRECTORY);
  const names = guest.one("getdents64", fd, out(8000), 8000);
  guest.one("close", fd);
  return names;
};
const whole = (guest: FilesGuest, path: string): string => {
  const fd = Number(guest.one("openat", AT, path, RD, 0));
  const text = JSON.parse(guest.one("pread64", fd, out(50), 50, 0).replace(/^\d+ /, ""));
  guest.one("close", fd);
  return text;
};

describe("without anything given", () => {
  test("the root has /dev, /proc and /tmp", () => {
    const guest = guestOf();
    expect(list(guest, "/")).toBe("..:dir .:dir dev:dir proc:dir tmp:dir");
    expect(guest.one("newfstatat", AT, "/tmp", out(128), 0)).toBe("dir 1777");
    expect(guest.one("getcwd", out(10), 10)).toBe(".");
    expect(list(guest, "/dev")).toBe(
      "..:dir .:dir fd:link full:char null:char random:char shm:dir stderr:link stdin:link stdout:link tty:char urandom:char zero:char",
    );
  });

  test("mount points cannot be removed, renamed or made again", () => {
    const guest = guestOf();
    expect(guest.one("unlinkat", AT, "/dev", 0x200)).toBe("EBUSY");
    expect(guest.one("renameat2", AT, "/proc", AT, "/q", 0)).toBe("EBUSY");
    expect(guest.one("renameat2", AT, "/tmp", AT, "/proc", 0)).toBe("EBUSY");
    expect(guest.one("mkdirat", AT, "/dev", 0o755)).toBe("EEXIST");
    expect(guest.one("unlinkat", AT, "/proc/self", 0)).toBe("EROFS");
  });

  test("/dev behaves as its devices do", () => {
    const guest = guestOf();
    const open = (name: string): number => Number(guest.one("openat", AT, `/dev/${name}`, RDWR, 0));
    const [nothing, zero, full, random] = ["null", "zero", "full", "urandom"].map(open) as [
      number,
      number,
      number,
      number,
    ];
    expect(guest.one("read", nothing, out(4), 4)).toBe('0 ""');
    expect(guest.one("write", nothing, "gone", 4)).toBe("4");
    expect(guest.one("lseek", nothing, 100, 0)).toBe("100");
    expect(guest.one("read", zero, out(2), 2)).toBe('2 "\\u0000\\u0000"');
    expect(guest.one("write", full, "x", 1)).toBe("ENOSPC");
    const bytes = guest.place(new Uint8Array(200_000));
    expect(guest.raw("read", random, bytes, 200_000)).toBe(200_000);
    expect(new Set(guest.memory.subarray(bytes + 199_000, bytes + 200_000)).size).toBeGreaterThan(200);
    expect(guest.one("openat", AT, "/dev/tty", RDWR, 0)).toBe("ENXIO");
    expect(guest.one("ioctl", nothing, 0x5413, out(8))).toBe("ENOTTY");
    expect(guest.one("newfstatat", AT, "/dev/null", out(128), 0)).toBe("char 666 1 0");
    expect(guest.one("openat", AT, "/dev/null", CREAT | WR | 0o1000, 0o666)).toBe("7");
    expect(guest.one("openat", AT, "/dev/null/x", RD, 0)).toBe("ENOTDIR");
  });

  test("link counts of directories are 2 and one for each directory inside", () => {
    const guest = guestOf();
    const nlink = (path: string): number => {
      const { outs } = guest.answer(["newfstatat", AT, path, out(128), 0]);
      return new DataView((outs[0] as Uint8Array).buffer).getUint32(20, true);
    };
    guest.run([
      ["mkdirat", AT, "a", 0o755],
      ["mkdirat", AT, "a/b", 0o755],
      ["mkdirat", AT, "a/c", 0o755],
    ]);
    expect([nlink("a"), nlink("a/b")]).toEqual([4, 2]);
    guest.run([
      ["renameat2", AT, "a/b", AT, "b", 0],
      ["openat", AT, "a/f", CREAT | WR, 0o644],
      ["unlinkat", AT, "a/c", 0x200],
    ]);
    expect([nlink("a"), nlink("b"), nlink(".")]).toEqual([2, 2, 4]);
  });

  test("/tmp holds what it says it holds, and gives back what is removed", () => {
    const guest = guestOf();
    const free = (): bigint => {
      const { outs } = guest.answer(["statfs", "/tmp", out(120)]);
      return new DataView((outs[0] as Uint8Array).buffer).getBigUint64(24, true);
    };
    const before = free();
    expect(guest.one("openat", AT, "f", CREAT | RDWR, 0o600)).toBe("3");
    guest.raw("pwrite64", 3, guest.place("x", 100_000), 100_000, 0);
    expect(before - free()).toBe(BigInt(Math.ceil(100_000 / 16384) * 4));
    guest.one("unlinkat", AT, "f", 0);
    expect(free()).toBeLessThan(before);
    guest.one("close", 3);
    expect(free()).toBe(before);
  });

  test("modes and owners keep others out, where the guest is not root", () => {
    const guest = guestOf({ owner: { uid: 1000, gid: 1000 } });
    const calls: Call[] = [
      ["mkdirat", AT, "d", 0o700],
      ["openat", AT, "d/f", CREAT | WR, 0o400],
      ["openat", AT, "d/f", WR, 0],
      ["openat", AT, "d/f", RD, 0],
      ["faccessat", AT, "d/f", 2],
      ["fchmodat", AT, "d", 0o500],
      ["openat", AT, "d/g", CREAT | WR, 0o600],
      ["unlinkat", AT, "d/f", 0],
      ["renameat2", AT, "d/f", AT, "f", 0],
      ["fchmodat", AT, "d", 0o600],
      ["openat", AT, "d/f", RD, 0],
      ["newfstatat", AT, "d/f", out(128), 0],
      ["chdir", "d"],
      ["fchownat", AT, "d", 0, 0, 0],
      ["fchownat", AT, "d", 1000, -1, 0],
    ];
    expect(guest.run(calls)).toEqual([
      ...["0", "3", "EACCES", "4", "EACCES", "0"],
      ...["EACCES", "EACCES", "EACCES", "0", "EACCES", "EACCES", "EACCES", "EPERM", "0"],
    ]);
  });
});

describe("/proc", () => {
  test("says who the process is", () => {
    const guest = guestOf({ argv: ["./prog", "one two", ""] });
    expect(guest.one("readlinkat", AT, "/proc/self", out(20), 20)).toBe('2 "42"');
    expect(whole(guest, "/proc/self/cmdline")).toBe("./prog\0one two\0\0");
    expect(whole(guest, "/proc/42/status")).toMatch(/^Name:\t/);
    expect(whole(guest, "/proc/cpuinfo")).toMatch(/^processor\t: 0\nhart\t\t: 0\nisa\t\t: rv64imafdc/);
    expect(whole(guest, "/proc/meminfo")).toBe("MemTotal:          65536 kB\n");
    expect(guest.one("readlinkat", AT, "/proc/self/cwd", out(20), 20)).toBe('4 "/tmp"');
    expect(guest.one("readlinkat", AT, "/proc/self/root", out(20), 20)).toBe('1 "/"');
    expect(guest.one("openat", AT, "/proc/self/cmdline", WR, 0)).toBe("EROFS");
    expect(guest.one("openat", AT, "/proc/43", RD, 0)).toBe("ENOENT");
  });

  test("lists descriptors, and opens what they lead to again", () => {
    const guest = guestOf();
    guest.run([
      ["openat", AT, "f", CREAT | RDWR, 0o600],
      ["write", 3, "text", 4],
      ["pipe2", out(8), 0],
      ["eventfd2", 0, 0],
      ["unlinkat", AT, "f", 0],
    ]);
    expect(list(guest, "/proc/self/fd")).toBe("..:dir .:dir 0:link 1:link 2:link 3:link 4:link 5:link 6:link 7:link");
    expect(guest.one("readlinkat", AT, "/proc/self/fd/4", out(40), 40)).toMatch(/"pipe:\[\d+\]"$/);
    expect(guest.one("readlinkat", AT, "/dev/fd/6", out(40), 40)).toMatch(/"anon_inode:\[\d+\]"$/);
    expect(guest.one("openat", AT, "/dev/fd/3", RD, 0)).toBe("7");
    expect(guest.one("read", 7, out(9), 9)).toBe('4 "text"');
    expect(guest.one("openat", AT, "/proc/self/fd/5", WR, 0)).toBe("8");
    expect(
      guest.run([
        ["write", 8, "in", 2],
        ["read", 4, out(9), 9],
      ]),
    ).toEqual(["2", '2 "in"']);
    expect(guest.one("openat", AT, "/proc/self/fd/99", RD, 0)).toBe("ENOENT");
    expect(guest.one("openat", AT, "/proc/self/fd/4/x", RD, 0)).toBe("ENOTDIR");
  });
});

describe("the program", () => {
  const program = (): string => {
    const path = join(folder, "prog");
    writeFileSync(path, "\x7fELF and more");
    chmodSync(path, 0o755);
    return path;
  };
  const head = async (files: ReturnType<typeof makeFiles>, name: string): Promise<string> =>
    Buffer.from(await (await files.openProgram(name)).readHead(4)).toString("latin1");

  test("is at its absolute host path, alone and read-only", async () => {
    const path = program();
    writeFileSync(join(folder, "secret"), "SECRET");
    const files = makeFiles();
    const guest = new FilesGuest(files, "/tmp");
    const opened = await files.openProgram(path);
    expect([opened.path, opened.size]).toEqual([path, 13]);
    expect(list(guest, folder)).toBe("..:dir .:dir prog:file");
    expect(guest.one("readlinkat", AT, "/proc/self/exe", out(200), 200)).toBe(`${path.length} "${path}"`);
    expect(guest.one("openat", AT, "/proc/self/exe", RD, 0)).toBe("3");
    expect(guest.one("read", 3, out(4), 4)).toBe('4 "\x7fELF"');
    expect(guest.one("openat", AT, path, WR, 0)).toBe("EROFS");
    expect(guest.one("unlinkat", AT, path, 0)).toBe("EBUSY");
    expect(guest.one("openat", AT, join(folder, "secret"), RD, 0)).toBe("ENOENT");
    expect(guest.one("openat", AT, `${path}/../secret`, RD, 0)).toBe("ENOTDIR");
    expect(guest.pages(HostCall.ReadPages, opened.object, 0, [new Uint8Array(4096)])).toBe(1);
  });

  test("is the file that a given directory shows at that path, else covers it", async () => {
    const path = program();
    const shown = makeFiles({ binds: [given(folder, folder)] });
    expect(await head(shown, path)).toBe("\x7fELF");
    expect(new FilesGuest(shown, "/").one("openat", AT, path, WR, 0)).toBe("3");
    mkdirSync(join(folder, "empty"));
    const covering = makeFiles({ binds: [given(join(folder, "empty"), folder)] });
    expect(await head(covering, path)).toBe("\x7fELF");
    expect(new FilesGuest(covering, "/").one("openat", AT, path, WR, 0)).toBe("EROFS");
    const hidden = makeFiles({ binds: [given(join(folder, "empty"), join(folder, ".."))] });
    expect(await head(hidden, path)).toBe("\x7fELF");
    symlinkSync(path, join(folder, "link"));
    const linked = makeFiles({
      binds: [given(folder, "/elsewhere"), given(folder, join(folder, "x"))],
      findProgram: (name) => ({ host: path, guest: join(folder, "x", name) }),
    });
    expect(await head(linked, "link")).toBe("\x7fELF");
  });

  test("with a root directory it is looked up inside", async () => {
    program();
    mkdirSync(join(folder, "bin"));
    symlinkSync("/prog", join(folder, "bin/p"));
    symlinkSync(join(folder, "prog"), join(folder, "bin/outside"));
    const files = makeFiles({ root: folder, cwd: "/bin" });
    expect((await files.openProgram("/bin/p")).path).toBe("/prog");
    expect((await files.openProgram("p")).path).toBe("/prog");
    expect((await files.openProgram("../../../prog")).path).toBe("/prog");
    for (const name of ["outside", "none", "/etc/passwd", join(folder, "prog")]) {
      await expect(files.openProgram(name)).rejects.toThrow(new ProgramError(`${name}: No such file or directory`));
    }
  });

  test("what cannot be run is one line", async () => {
    const path = program();
    chmodSync(path, 0o644);
    const files = makeFiles();
    await expect(files.openProgram(path)).rejects.toThrow(new ProgramError(`${path}: Permission denied`));
    await expect(files.openProgram(folder)).rejects.toThrow(new ProgramError(`${folder}: Permission denied`));
    const missing = makeFiles({
      findProgram: () => {
        throw new Fail(Errno.ENOENT);
      },
    });
    await expect(missing.openProgram("x")).rejects.toThrow(new ProgramError("x: No such file or directory"));
  });
});

describe("directories given", () => {
  test("--dir HOST[:GUEST[:ro]]", () => {
    expect(parseBind(folder)).toEqual(given(folder, folder));
    expect(parseBind(`${folder}:/x`)).toEqual(given(folder, "/x"));
    expect(parseBind(`${folder}:/x/../y/:ro`)).toEqual(given(folder, "/y", true));
    mkdirSync(join(folder, "sub"));
    symlinkSync("sub", join(folder, "link"));
    expect(parseBind(join(folder, "link"))).toEqual(given(join(folder, "sub"), join(folder, "link")));
    writeFileSync(join(folder, "file"), "");
    for (const bad of [
      "",
      ":/x",
      `${folder}:x`,
      `${folder}:/x:rw`,
      `${folder}:/x:ro:`,
      join(folder, "none"),
      join(folder, "file"),
    ]) {
      expect(() => parseBind(bad), bad).toThrow(BindError);
    }
    expect(() => makeFiles({ binds: [given(folder, "/")] })).toThrow(BindError);
  });

  test("appear in listings, with what is above them made where it is missing", () => {
    writeFileSync(join(folder, "f"), "");
    mkdirSync(join(folder, "root"));
    for (const root of [undefined, join(folder, "root")]) {
      const guest = guestOf({ root, binds: [given(folder, "/a/b/c")] });
      expect(list(guest, "/a")).toBe("..:dir .:dir b:dir");
      expect(list(guest, "/a/b/c")).toBe("..:dir .:dir f:file root:dir");
      expect(
        guest.run([
          ["chdir", "/a/b/c"],
          ["openat", AT, "../c/f", RD, 0],
          ["chdir", "../.."],
        ]),
      ).toEqual(["0", "3", "0"]);
      expect(guest.one("readlinkat", AT, "/proc/self/cwd", out(20), 20)).toBe('2 "/a"');
    }
    expect(readFileSync(join(folder, "f"), "utf8")).toBe("");
  });

  test("an inner one shows through an outer one, whichever was given first", () => {
    for (const name of ["outer", "outer/in", "inner"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "inner/f"), "");
    const binds = [given(join(folder, "inner"), "/o/in"), given(join(folder, "outer"), "/o")];
    for (const order of [binds, binds.toReversed()]) {
      const guest = guestOf({ binds: order });
      expect(list(guest, "/o/in")).toBe("..:dir .:dir f:file");
      expect(list(guest, "/o/in/..")).toBe("..:dir .:dir in:dir");
      expect(guest.one("renameat2", AT, "/o/in/f", AT, "/o/f", 0)).toBe("EXDEV");
    }
  });

  test("a working directory that is not there is /", () => {
    expect(guestOf({ cwd: "/none" }).one("getcwd", out(9), 9)).toBe("/");
    expect(
      guestOf({ binds: [given(folder, "/w")], cwd: "/w" }).one("readlinkat", AT, "/proc/self/cwd", out(9), 9),
    ).toBe('2 "/w"');
  });
});

test("a terminal tells its size, keeps its settings and is /dev/tty", () => {
  const raw: boolean[] = [];
  class TerminalStream extends TestStream {
    override readonly terminal = {
      size: () => ({ columns: 132, rows: 50 }),
      setRaw: (value: boolean) => raw.push(value),
    } as unknown as undefined & HostTerminal;
  }
  const { stdio } = streams();
  const stream = new TerminalStream();
  const guest = guestOf({ stdio: [stdio[0], { kind: "stream", stream, flags: 2 }, undefined] });
  const size = guest.answer(["ioctl", 1, 0x5413, out(8)]).outs[0] as Uint8Array;
  expect([size[0], size[2]]).toEqual([50, 132]);
  const settings = guest.answer(["ioctl", 1, 0x5401, out(36)]).outs[0] as Uint8Array;
  const changed = settings.slice();
  changed[12] = (changed[12] as number) & ~(2 | 8);
  expect(guest.one("ioctl", 1, 0x5402, Buffer.from(changed).toString("latin1"))).toBe("0");
  expect(raw).toEqual([true]);
  expect(guest.answer(["ioctl", 1, 0x5401, out(36)]).outs[0]).toEqual(changed);
  expect(guest.one("openat", AT, "/dev/tty", RDWR, 0)).toBe("2");
  expect(
    guest.run([
      ["write", 2, "hi", 2],
      ["close", 2],
      ["close", 1],
    ]),
  ).toEqual(["2", "0", "0"]);
  expect([stream.written, stream.closed]).toEqual(["hi", true]);
});

test("a link can be opened as a place and asked what it is", () => {
  const guest = guestOf();
  guest.run([
    ["symlinkat", "target", AT, "l"],
    ["openat", AT, "l", PATH | NOFOLLOW, 0],
  ]);
  expect(
    guest.run([
      ["fstat", 3, out(128)],
      ["readlinkat", 3, "", out(9), 9],
    ]),
  ).toEqual(["link 777 1 6", '6 "target"']);
});

test("1024 descriptors, then EMFILE", () => {
  const guest = guestOf();
  for (let fd = 3; fd < 1024; fd++) expect(guest.raw("dup", 0)).toBe(fd);
  for (const call of [
    ["dup", 0],
    ["openat", AT, "new", CREAT | WR, 0o600],
    ["pipe2", out(8), 0],
    ["eventfd2", 0, 0],
  ] as Call[]) {
    expect(guest.one(...call), call[0]).toBe("EMFILE");
  }
  expect(guest.one("newfstatat", AT, "new", out(128), 0)).toBe("ENOENT");
  guest.one("close", 1000);
  expect(guest.one("pipe2", out(8), 0)).toBe("EMFILE");
  expect(guest.one("dup", 0)).toBe("1000");
});
