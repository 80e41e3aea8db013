/** No guest path, link or `..` reaches a host file outside what was given; what was given read-only stays as it is. */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Bind } from "../src/run/files/mounts";
import { nodeHostFs } from "../src/run/node/hostfs";
import {
  AT,
  type Call,
  CREAT,
  DIRECTORY,
  EMPTY,
  FOLLOW_AT,
  NOFOLLOW,
  NOFOLLOW_AT,
  out,
  PATH,
  RD,
  RDWR,
  REMOVEDIR,
  TRUNC,
  WR,
} from "./support/files-calls";
import { FilesGuest, makeFiles, temporary } from "./support/files-guest";

/** top/secret and top/outside/secret are not the guest's, top/given is. */
let top = "";
let end = (): void => {};

beforeEach(() => {
  ({ path: top, end } = temporary());
  for (const name of ["given", "given/sub", "outside", "other"]) mkdirSync(join(top, name));
  writeFileSync(join(top, "secret"), "SECRET");
  writeFileSync(join(top, "outside/secret"), "SECRET");
  writeFileSync(join(top, "given/mine"), "mine");
});
afterEach(() => end());

const bind = (host: string, guest: string, readOnly = false): Bind => ({ host: join(top, host), guest, readOnly });
const withDir = (...binds: Bind[]): FilesGuest => new FilesGuest(makeFiles({ binds, cwd: "/g" }), "/g");
const withRoot = (): FilesGuest => new FilesGuest(makeFiles({ root: join(top, "given"), cwd: "/" }), "/");

/** All a guest could learn or do through a path. */
function attempts(guest: FilesGuest, path: string): string[] {
  return guest.run([
    ["openat", AT, path, RD, 0],
    ["openat", AT, path, WR | TRUNC, 0],
    ["newfstatat", AT, path, out(128), 0],
    ["faccessat", AT, path, 4],
    ["truncate", path, 0],
    ["fchmodat", AT, path, 0o777],
    ["linkat", AT, path, AT, "stolen", FOLLOW_AT],
    ["statfs", path, out(120)],
    ["chdir", path],
  ]);
}

function unharmed(): void {
  expect(readFileSync(join(top, "secret"), "utf8")).toBe("SECRET");
  expect(readFileSync(join(top, "outside/secret"), "utf8")).toBe("SECRET");
  expect(readdirSync(top).sort()).toEqual(["given", "other", "outside", "secret"]);
  expect(readdirSync(join(top, "outside"))).toEqual(["secret"]);
}

describe.each([
  ["--dir", (): FilesGuest => withDir(bind("given", "/g"))],
  ["--root", withRoot],
])("with %s", (_name, make) => {
  test("links to files outside lead nowhere", () => {
    const links = {
      absolute: join(top, "secret"),
      dots: "../secret",
      manyDots: `${"../".repeat(30)}${join(top, "secret")}`,
      throughSub: "sub/../../secret",
      passwd: "/etc/passwd",
      chain: "absolute",
      procRoot: `/proc/self/root${join(top, "secret")}`,
      procCwd: `/proc/self/cwd/../..${join(top, "secret")}`,
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(top, "given", name));
    const guest = make();
    for (const name of Object.keys(links)) {
      expect(new Set(attempts(guest, name).filter((answer) => answer !== "EXDEV")), name).toEqual(new Set(["ENOENT"]));
    }
    unharmed();
  });

  test("links to directories outside lead nowhere", () => {
    symlinkSync(join(top, "outside"), join(top, "given/away"));
    symlinkSync("..", join(top, "given/up"));
    const guest = make();
    for (const path of ["away/secret", "away/new", "up/secret", "up/outside/secret", "sub/../up/secret", "away/"]) {
      expect(new Set(attempts(guest, path)), path).toEqual(new Set(["ENOENT"]));
    }
    expect(guest.one("mkdirat", AT, "away/dir", 0o777)).toBe("ENOENT");
    expect(guest.one("renameat2", AT, "mine", AT, "away/mine", 0)).toBe("ENOENT");
    expect(guest.one("unlinkat", AT, "away/secret", 0)).toBe("ENOENT");
    unharmed();
  });

  test("`..` stops at the guest's root", () => {
    const guest = make();
    for (const dots of ["../".repeat(40), "/../../", "sub/../../../../../../../", "/proc/self/cwd/../../../../../"]) {
      expect(guest.one("openat", AT, `${dots}${join(top, "secret").slice(1)}`, RD, 0)).toBe("ENOENT");
      expect(guest.one("openat", AT, `${dots}secret`, RD, 0)).toBe("ENOENT");
    }
    expect(guest.one("openat", AT, "sub", DIRECTORY, 0)).toBe("3");
    expect(guest.one("openat", 3, "../../../../secret", RD, 0)).toBe("ENOENT");
  });

  test("names with NULs, slashes and dots in a row are only names", () => {
    const guest = make();
    for (const path of ["....//secret", "..\\secret", "sub/..../secret", ".../secret", " ../secret", "..;/secret"]) {
      expect(guest.one("openat", AT, path, RD, 0), path).toBe("ENOENT");
    }
  });

  test("a link made by the guest is the guest's", () => {
    const guest = make();
    expect(guest.one("symlinkat", join(top, "secret"), AT, "l")).toBe("0");
    expect(guest.one("symlinkat", "/proc/1/root", AT, "m")).toBe("0");
    expect(guest.one("openat", AT, "l", RD, 0)).toBe("ENOENT");
    expect(guest.one("openat", AT, "l", CREAT | WR, 0o666)).toBe("ENOENT");
    expect(guest.one("openat", AT, `m${join(top, "secret")}`, RD, 0)).toBe("ENOENT");
    expect(guest.one("faccessat2", AT, "l", 4, NOFOLLOW_AT)).toBe("0");
    expect(guest.one("openat", AT, "l", RD | NOFOLLOW, 0)).toBe("ELOOP");
    unharmed();
  });

  /** Opens the guest's own sub/secret, then puts a link to a directory with a `secret` where sub was. */
  const swapUnder = (guest: FilesGuest): void => {
    writeFileSync(join(top, "given/sub/secret"), "mine");
    guest.run([
      ["openat", AT, "sub", DIRECTORY, 0],
      ["openat", AT, "sub/secret", RD, 0],
      ["openat", AT, "sub/secret", PATH, 0],
      ["renameat2", AT, "sub", AT, "moved", 0],
    ]);
    expect(guest.one("symlinkat", join(top, "outside"), AT, "sub")).toBe("0");
  };

  test("a directory renamed while it is open stays itself", () => {
    const guest = make();
    swapUnder(guest);
    expect(
      guest.run([
        ["openat", 3, "secret", RDWR, 0],
        ["read", 6, out(9), 9],
      ]),
    ).toEqual(["6", '4 "mine"']);
    expect(guest.one("openat", 3, "../secret", RD, 0)).toBe("ENOENT");
    expect(
      guest.run([
        ["fchdir", 3],
        ["openat", AT, "secret", RD, 0],
        ["read", 7, out(9), 9],
      ]),
    ).toEqual(["0", "7", '4 "mine"']);
    unharmed();
  });

  test("a file whose directory was renamed is found again through /proc", () => {
    const guest = make();
    swapUnder(guest);
    for (const fd of [4, 5]) {
      expect(guest.one("readlinkat", AT, `/proc/self/fd/${fd}`, out(99), 99)).toMatch(/moved\/secret"$/);
      expect(guest.one("openat", AT, `/proc/self/fd/${fd}`, RD, 0)).toBe("6");
      expect(guest.one("read", 6, out(9), 9)).toBe('4 "mine"');
      expect(guest.one("newfstatat", AT, `/proc/self/fd/${fd}`, out(128), 0)).toMatch(/ 4$/);
      guest.one("close", 6);
    }
    expect(guest.one("linkat", 5, "", AT, "again", EMPTY)).toBe("0");
    expect(readFileSync(join(top, "given/again"), "utf8")).toBe("mine");
    unharmed();
  });

  test("a removed directory does not become the link put in its place", () => {
    const guest = make();
    mkdirSync(join(top, "given/a/b"), { recursive: true });
    expect(
      guest.run([
        ["openat", AT, "a/b", DIRECTORY, 0],
        ["chdir", "a/b"],
      ]),
    ).toEqual(["3", "0"]);
    guest.run([
      ["unlinkat", AT, "../b", REMOVEDIR],
      ["unlinkat", AT, "../../a", REMOVEDIR],
    ]);
    expect(existsSync(join(top, "given/a"))).toBe(false);
    symlinkSync(join(top, "outside"), join(top, "given/a"));
    for (const path of ["../secret", "../../mine", "secret", "../b", ".."]) {
      expect(guest.one("openat", 3, path, RD, 0), path).toBe("ENOENT");
      expect(guest.one("openat", AT, path, RD, 0), path).toBe("ENOENT");
    }
  });

  test("pipes, sockets and devices of the host are not opened", () => {
    const guest = make();
    for (const name of ["null", "zero", "full"]) {
      symlinkSync(`/dev/${name}`, join(top, `given/${name}`));
      expect(guest.one("openat", AT, name, RD, 0)).toBe("3");
      expect(guest.one("fstat", 3, out(128))).toMatch(/^char/);
      guest.one("close", 3);
    }
    symlinkSync("/dev/kmsg", join(top, "given/kmsg"));
    expect(guest.one("openat", AT, "kmsg", RD, 0)).toBe("ENOENT");
  });
});

describe("directories given inside one another", () => {
  test("moving the inner one through the outer one moves it for both", () => {
    const guest = withDir(bind("given", "/g"), bind("given/sub", "/s"));
    writeFileSync(join(top, "given/sub/secret"), "mine");
    guest.run([
      ["openat", AT, "/s", DIRECTORY, 0],
      ["renameat2", AT, "sub", AT, "moved", 0],
    ]);
    expect(guest.one("symlinkat", join(top, "outside"), AT, "sub")).toBe("0");
    for (const path of ["/s/secret", "moved/secret"]) {
      expect(
        guest.run([
          ["openat", AT, path, RD, 0],
          ["read", 4, out(9), 9],
          ["close", 4],
        ]),
      ).toEqual(["4", '4 "mine"', "0"]);
    }
    expect(
      guest.run([
        ["openat", 3, "secret", RD, 0],
        ["read", 4, out(9), 9],
      ]),
    ).toEqual(["4", '4 "mine"']);
    unharmed();
  });

  test("a directory moved out of its mount has nothing above it", () => {
    mkdirSync(join(top, "given/sub/deep"));
    const guest = withDir(bind("given", "/g"), bind("given/sub", "/s"));
    guest.run([
      ["openat", AT, "/s/deep", DIRECTORY, 0],
      ["chdir", "/s/deep"],
    ]);
    expect(guest.one("renameat2", AT, "/g/sub/deep", AT, "/g/deep", 0)).toBe("0");
    for (const path of ["..", "../..", "../../secret", "../mine"]) {
      expect(guest.one("openat", 3, path, RD, 0), path).toBe("ENOENT");
      expect(guest.one("openat", AT, path, RD, 0), path).toBe("ENOENT");
    }
    expect(guest.one("getcwd", out(99), 99)).toBe("ENOENT");
  });

  test("removing the inner one through the outer one leaves nothing to find", () => {
    const guest = withDir(bind("given", "/g"), bind("given/sub", "/s"));
    expect(guest.one("unlinkat", AT, "/g/sub", REMOVEDIR)).toBe("0");
    symlinkSync(join(top, "outside"), join(top, "given/sub"));
    expect(guest.one("openat", AT, "/s/secret", RD, 0)).toBe("ENOENT");
  });
});

describe("while another process changes the directory", () => {
  test("a directory that became a link is not walked", () => {
    const guest = withDir(bind("given", "/g"));
    expect(guest.one("openat", AT, "sub", DIRECTORY, 0)).toBe("3");
    renameSync(join(top, "given/sub"), join(top, "given/elsewhere"));
    symlinkSync(join(top, "outside"), join(top, "given/sub"));
    for (const path of ["secret", "new", "."]) {
      expect(guest.one("openat", 3, path, RD, 0), path).toMatch(/ENOENT|ENOTDIR|ELOOP/);
      expect(guest.one("openat", 3, path, CREAT | WR | TRUNC, 0o666), path).toMatch(/ENOENT|ENOTDIR|ELOOP|EISDIR/);
    }
    for (const call of [
      ["mkdirat", 3, "x", 0o777],
      ["unlinkat", 3, "secret", 0],
      ["symlinkat", "t", 3, "x"],
      ["renameat2", AT, "mine", 3, "x", 0],
      ["fchmodat", 3, "secret", 0],
      ["linkat", AT, "mine", 3, "x", 0],
    ] as const) {
      expect(guest.one(...(call as Call)), call[0]).toMatch(/ENOENT|ENOTDIR/);
    }
    unharmed();
  });

  test("the host calls themselves follow no link that took a name's place", () => {
    rmSync(join(top, "given/sub"), { recursive: true });
    symlinkSync(join(top, "outside"), join(top, "given/sub"));
    const under = join(top, "given/sub/secret");
    const refusals: Array<() => unknown> = [
      () => nodeHostFs.lstat(under),
      () => nodeHostFs.open(under, RD, 0),
      () => nodeHostFs.access(under, 4),
      () => nodeHostFs.unlink(under),
      () => nodeHostFs.readdir(join(top, "given/sub")),
      () => nodeHostFs.chmod(join(top, "given/sub"), 0),
      () => nodeHostFs.open(join(top, "given/sub"), RD, 0),
      () => nodeHostFs.rename(under, join(top, "given/got")),
    ];
    for (const refusal of refusals) expect(refusal).toThrow(expect.objectContaining({ errno: expect.any(Number) }));
    unharmed();
  });

  test("a directory replaced by another is seen as it is now", () => {
    const guest = withDir(bind("given", "/g"));
    expect(guest.one("openat", AT, "sub/f", CREAT | WR, 0o600)).toBe("3");
    rmSync(join(top, "given/sub"), { recursive: true });
    mkdirSync(join(top, "given/sub"));
    writeFileSync(join(top, "given/sub/new"), "");
    expect(guest.one("openat", AT, "sub/f", RD, 0)).toBe("ENOENT");
    expect(guest.one("openat", AT, "sub/new", RD, 0)).toBe("4");
  });
});

describe("given read-only", () => {
  test("nothing in it changes, and each attempt is EROFS", () => {
    symlinkSync("mine", join(top, "given/link"));
    const guest = withDir(bind("given", "/g", true), bind("other", "/o"));
    const before = readdirSync(join(top, "given")).sort();
    for (const call of [
      ["openat", AT, "mine", WR, 0],
      ["openat", AT, "mine", RDWR, 0],
      ["openat", AT, "mine", RD | TRUNC, 0],
      ["openat", AT, "link", WR, 0],
      ["openat", AT, "new", CREAT | RD, 0o666],
      ["mkdirat", AT, "new", 0o777],
      ["symlinkat", "t", AT, "new"],
      ["linkat", AT, "mine", AT, "new", 0],
      ["unlinkat", AT, "mine", 0],
      ["unlinkat", AT, "none", 0],
      ["unlinkat", AT, "sub", REMOVEDIR],
      ["renameat2", AT, "mine", AT, "new", 0],
      ["truncate", "mine", 0],
      ["fchmodat", AT, "mine", 0o777],
      ["fchownat", AT, "mine", 0, 0, 0],
      ["utimensat", AT, "mine", null, 0],
      ["faccessat", AT, "mine", 2],
    ] as const) {
      expect(guest.one(...(call as Call)), call.join(" ")).toBe("EROFS");
    }
    expect(guest.one("mkdirat", AT, "sub", 0o777)).toBe("EEXIST");
    expect(guest.one("renameat2", AT, "mine", AT, "/o/mine", 0)).toBe("EXDEV");
    expect(guest.one("renameat2", AT, "/o", AT, "mine", 0)).toBe("EXDEV");
    expect(guest.one("linkat", AT, "mine", AT, "/o/mine", 0)).toBe("EXDEV");
    expect(guest.one("openat", AT, "mine", RD | CREAT, 0)).toBe("3");
    for (const call of [
      ["ftruncate", 3, 0],
      ["fallocate", 3, 0, 0, 100],
    ] as const) {
      expect(guest.one(...(call as Call))).toMatch(/EINVAL|EBADF/);
    }
    expect(guest.one("fchmod", 3, 0)).toBe("EROFS");
    expect(guest.one("openat", AT, "/proc/self/fd/3", WR, 0)).toBe("EROFS");
    expect(readdirSync(join(top, "given")).sort()).toEqual(before);
    expect(readFileSync(join(top, "given/mine"), "utf8")).toBe("mine");
  });

  test("a hard link to a file outside is what was given", () => {
    linkSync(join(top, "secret"), join(top, "given/same"));
    const guest = withDir(bind("given", "/g", true));
    expect(
      guest.run([
        ["openat", AT, "same", RD, 0],
        ["read", 3, out(9), 9],
      ]),
    ).toEqual(["3", '6 "SECRET"']);
    unlinkSync(join(top, "given/same"));
  });
});
