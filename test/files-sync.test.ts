/** What the service can not do itself: pages that only the core has, and memory of processes. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Errno } from "../src/core/abi/errno";
import { MapFlag, Prot } from "../src/core/abi/mman";
import type { Files } from "../src/run/files/files";
import { HostCall } from "../src/run/files/service";
import { TestCache } from "./support/files-cache";
import { AT, CREAT, DIRECTORY, out, RD, RDWR, WR } from "./support/files-calls";
import { FilesGuest, makeFiles, temporary } from "./support/files-guest";

let end = (): void => {};
let files: Files;
let guest: FilesGuest;
beforeEach(() => {
  let path = "";
  ({ path, end } = temporary());
  files = makeFiles({ binds: [{ host: path, guest: "/h", readOnly: false }] });
  guest = new FilesGuest(files, "/tmp", 0, 42);
});
afterEach(() => end());

const map = (fd: number, prot: number, flags: number): number => guest.host(HostCall.MapObject, fd, prot, flags, 0);

describe.each(["/tmp/f", "/h/f"])("%s", (path) => {
  let object = 0;
  beforeEach(() => {
    files.connect({ cache: new TestCache() });
    guest.one("openat", AT, path, CREAT | RDWR, 0o600);
    object = map(3, Prot.Read | Prot.Write, MapFlag.Shared);
  });

  test.each(["fsync", "fdatasync", "syncfs"] as const)("%s has dirty pages written first, once", (name) => {
    expect(guest.one(name, 3)).toBe("0");
    expect(guest.writtenBack).toEqual([[object]]);
  });

  test("sync_file_range too; bad ranges, flags and files are refused before", () => {
    const [write, all] = [2, 7];
    expect(guest.one("sync_file_range", 3, 0, 0, write)).toBe("0");
    expect(guest.one("sync_file_range", 3, 10, 100, all)).toBe("0");
    expect(guest.writtenBack).toEqual([[object], [object]]);
    guest.one("pipe2", out(8), 0);
    expect([
      guest.one("sync_file_range", 3, 0, 0, 8),
      guest.one("sync_file_range", 3, -1, 0, write),
      guest.one("sync_file_range", 3, 0, -1, write),
      guest.one("sync_file_range", 4, 0, 0, write),
      guest.one("sync_file_range", 99, 0, 0, write),
    ]).toEqual(["EINVAL", "EINVAL", "EINVAL", "ESPIPE", "EBADF"]);
    expect(guest.writtenBack.length).toBe(2);
  });

  test("pages that cannot be written fail the call", () => {
    guest.writeBackAnswer = -Errno.ENOSPC;
    expect(guest.one("fsync", 3)).toBe("ENOSPC");
  });

  test("a descriptor of the same file that only reads asks for it too; another file does not", () => {
    guest.one("openat", AT, path, RD, 0);
    guest.one("openat", AT, `${path}2`, CREAT | RDWR, 0o600);
    map(5, Prot.Read | Prot.Write, MapFlag.Private);
    guest.run([
      ["fsync", 4],
      ["fsync", 5],
    ]);
    expect(guest.writtenBack).toEqual([[object]]);
  });

  test("sync asks for all that somebody may have written to", () => {
    guest.one("openat", AT, `${path}2`, CREAT | RDWR, 0o600);
    const second = map(4, Prot.Read, MapFlag.Shared);
    expect(guest.one("sync")).toBe("0");
    expect(guest.writtenBack).toEqual([[object, second]]);
  });
});

test("without a cache nothing is asked for", () => {
  guest.one("openat", AT, "f", CREAT | RDWR, 0o600);
  map(3, Prot.Read | Prot.Write, MapFlag.Shared);
  expect(guest.one("fsync", 3)).toBe("0");
  expect(guest.writtenBack).toEqual([]);
});

describe("/proc/PID/mem", () => {
  beforeEach(() => {
    files.connect({ facts: { usage: () => undefined } });
    expect(guest.host(HostCall.ForkFiles, 50, 0)).toBe(0);
  });
  const page = (pid: number, number: number, text = ""): void => {
    const bytes = new Uint8Array(4096).fill(0x2e);
    bytes.set(Buffer.from(text));
    guest.pagesOf.set(`${pid}:${number}`, bytes);
  };

  test("is the memory of the process, by position", () => {
    page(50, 7, "seven");
    page(42, 7, "my own");
    expect(guest.one("openat", AT, "/proc/50/mem", RDWR, 0)).toBe("3");
    expect(guest.one("pread64", 3, out(7), 7, 7 * 4096)).toBe('7 "seven.."');
    expect(guest.one("openat", AT, "/proc/self/mem", RD, 0)).toBe("4");
    expect(guest.one("pread64", 4, out(6), 6, 7 * 4096)).toBe('6 "my own"');
    expect(guest.one("pwrite64", 3, "SEV", 3, 7 * 4096)).toBe("3");
    expect(guest.one("pread64", 3, out(5), 5, 7 * 4096)).toBe('5 "SEVen"');
    expect(guest.one("write", 4, "x", 1)).toBe("EBADF");
    expect(guest.one("openat", AT, "/proc/50/cmdline", WR, 0)).toBe("EROFS");
  });

  test("ends before what is not mapped, and the position stays there", () => {
    page(50, 7, "seven");
    guest.one("openat", AT, "/proc/50/mem", RDWR, 0);
    expect(guest.one("lseek", 3, 8 * 4096 - 3, 0)).toBe(String(8 * 4096 - 3));
    expect(guest.one("read", 3, out(10), 10)).toBe('3 "..."');
    expect(guest.one("lseek", 3, 0, 1)).toBe(String(8 * 4096));
    expect(guest.one("read", 3, out(10), 10)).toBe("EIO");
    expect(guest.one("write", 3, "no", 2)).toBe("EIO");
    expect(guest.one("lseek", 3, 0, 1)).toBe(String(8 * 4096));
    expect(guest.one("read", 3, out(10), 0)).toBe('0 ""');
  });

  test("large pieces keep their bytes, to the last of the buffer", () => {
    for (let number = 16; number < 64; number++) page(50, number);
    guest.one("openat", AT, "/proc/50/mem", RDWR, 0);
    const bytes = guest.place(Uint8Array.from({ length: 150_000 }, (_, i) => (i * 7) & 255));
    const copy = guest.place("", 150_000);
    expect(guest.raw("pwrite64", 3, bytes, 150_000, 65536)).toBe(150_000);
    expect(guest.raw("pread64", 3, copy, 150_000, 65536)).toBe(150_000);
    expect(
      Buffer.compare(guest.memory.subarray(copy, copy + 150_000), guest.memory.subarray(bytes, bytes + 150_000)),
    ).toBe(0);
  });

  test("is not there when the machine can not tell of memory", () => {
    files.connect({});
    expect(guest.one("openat", AT, "/proc/50/mem", RDWR, 0)).toBe("ENOENT");
    expect(guest.one("openat", AT, "/proc/50", DIRECTORY, 0)).toBe("3");
  });
});
