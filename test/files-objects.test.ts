/** One object an inode, and files that agree with the pages mapped from them, over memory and over host files. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Errno } from "../src/core/abi/errno";
import { MapFlag, Prot } from "../src/core/abi/mman";
import type { Files } from "../src/run/files/files";
import { HostCall, MapBits } from "../src/run/files/service";
import { TestCache } from "./support/files-cache";
import { APPEND, AT, CREAT, DIRECTORY, out, RD, RDWR, TRUNC, WR } from "./support/files-calls";
import { FilesGuest, makeFiles, temporary } from "./support/files-guest";

const PAGE = 4096;
const { Read, Write, Exec } = Prot;
const { Shared, Private, SharedValidate } = MapFlag;
let end = (): void => {};
let files: Files;
let guest: FilesGuest;
let cache: TestCache;

function start(): void {
  let path = "";
  ({ path, end } = temporary());
  files = makeFiles({ binds: [{ host: path, guest: "/h", readOnly: false }] });
  guest = new FilesGuest(files, "/tmp");
  cache = new TestCache();
  files.connect({ cache });
}
beforeEach(start);
afterEach(() => end());

const map = (fd: number, prot: number, flags: number): number => guest.host(HostCall.MapObject, fd, prot, flags, 0);
/** Mapped: the request's reference is the mapping's now. */
function mapped(fd: number, prot: number, flags: number): number {
  const object = map(fd, prot, flags);
  expect(object).toBeGreaterThan(0);
  cache.map(object, (mapBits() & MapBits.MayWrite) !== 0 && (flags & 3) !== Private);
  return object;
}
const mapBits = (): number => new DataView(guest.bounced(0, 16).buffer).getUint32(0, true);
const pages = (count: number): Uint8Array[] => Array.from({ length: count }, () => new Uint8Array(PAGE).fill(0x55));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
/** The page as a mapping sees it. */
const seen = (object: number, offset: number): Uint8Array =>
  cache.page(object, offset, (page) => guest.pages(HostCall.ReadPages, object, offset, [page]));
const open = (path: string, flags: number): number => guest.raw("openat", AT, guest.place(`${path}\0`), flags, 0o644);
const whole = (path: string): string => {
  const fd = open(path, RD);
  const bytes = guest.place("", 30000);
  const length = guest.raw("pread64", fd, bytes, 30000, 0);
  guest.raw("close", fd);
  return text(guest.memory.subarray(bytes, bytes + length));
};

describe.each(["/tmp/f", "/h/f"])("%s", (path) => {
  test("an inode has one object, by whatever name or descriptor, until it is let go", () => {
    open(path, CREAT | RDWR);
    guest.one("linkat", AT, path, AT, `${path}2`, 0);
    const other = open(`${path}2`, RD);
    const object = mapped(3, Read, Shared);
    expect(mapped(other, Read | Exec, Private)).toBe(object);
    guest.one("close_range", 3, 100, 0);
    expect(mapped(open(path, RD), Read, Shared)).toBe(object);
    expect(guest.host(HostCall.ReleaseObject, object)).toBe(-Errno.EBUSY);
    for (let i = 0; i < 3; i++) cache.unmap(object, i === 0);
    expect(guest.host(HostCall.ReleaseObject, object)).toBe(0);
    expect(cache.objects.size).toBe(0);
    expect(guest.pages(HostCall.ReadPages, object, 0, pages(1))).toBe(-Errno.EBADF);
    expect(guest.pages(HostCall.WritePages, object, 0, pages(1))).toBe(-Errno.EBADF);
    expect(map(3, Read, Shared)).toBeGreaterThan(object);
  });

  test("pages are read up to the end of the file, zeros behind it", () => {
    open(path, CREAT | RDWR);
    guest.one("pwrite64", 3, "end", 3, 2 * PAGE);
    const object = mapped(3, Read, Private);
    const frames = pages(5);
    expect(guest.pages(HostCall.ReadPages, object, 0, frames)).toBe(3);
    expect(text(frames[2]!.subarray(0, 5))).toBe("end\0\0");
    expect(frames.map((frame) => Math.max(...frame))).toEqual([0, 0, 0x6e, 0, 0]);
    expect(guest.pages(HostCall.ReadPages, object, 3 * PAGE, pages(2))).toBe(0);
    guest.run([
      ["close", 3],
      ["unlinkat", AT, path, 0],
    ]);
    expect(guest.pages(HostCall.ReadPages, object, 2 * PAGE, pages(1))).toBe(1);
  });

  test("pages are written back after the descriptor has gone, never past the end", () => {
    open(path, CREAT | RDWR);
    guest.one("ftruncate", 3, PAGE + 2);
    const object = mapped(3, Read | Write, Shared);
    guest.one("close", 3);
    expect(guest.pages(HostCall.WritePages, object, 0, pages(3))).toBe(3);
    expect(whole(path)).toBe("U".repeat(PAGE + 2));
  });

  test("a file mapped by readers only is not written; a later writer's mapping makes it so", () => {
    open(path, CREAT | RDWR);
    guest.one("write", 3, "old", 3);
    const reader = open(path, RD);
    const object = mapped(reader, Read, Shared);
    expect(mapBits()).toBe(0);
    expect(mapped(3, Read | Write, Private)).toBe(object);
    expect(mapBits()).toBe(MapBits.MayWrite);
    expect(guest.pages(HostCall.WritePages, object, 0, pages(1))).toBe(-Errno.EBADF);
    mapped(3, Read, Shared);
    expect(mapBits()).toBe(MapBits.MayWrite);
    expect(guest.pages(HostCall.WritePages, object, 0, pages(1))).toBe(1);
    expect(whole(path)).toBe("UUU");
  });

  test("pages go to their place although the descriptor appends", () => {
    open(path, CREAT | RDWR | APPEND);
    guest.one("write", 3, "0123456789", 10);
    const object = mapped(3, Read | Write, Shared);
    guest.pages(HostCall.WritePages, object, 0, pages(1));
    expect(whole(path)).toBe("U".repeat(10));
    guest.one("pwrite64", 3, "tail", 4, 0);
    expect(text(seen(object, 0).subarray(0, 16))).toBe("UUUUUUUUUUtail\0\0");
    guest.one("pwrite64", 3, "!", 1, 0);
    expect(text(seen(object, 0).subarray(0, 16))).toBe("UUUUUUUUUUtail!\0");
    expect(cache.of(object).size).toBe(15);
  });

  test("what is written through a mapping is read, what is written is seen in the mapping", () => {
    open(path, CREAT | RDWR);
    guest.one("write", 3, "-".repeat(PAGE + 10), PAGE + 10);
    const object = mapped(3, Read | Write, Shared);
    seen(object, 0).set(Buffer.from("MAPPED"), PAGE - 6);
    seen(object, PAGE).set(Buffer.from("too"));
    expect(guest.one("pread64", 3, out(20), 20, PAGE - 8)).toBe('18 "--MAPPEDtoo-------"');
    expect(guest.one("lseek", 3, PAGE - 2, 0)).toBe(String(PAGE - 2));
    expect(guest.one("read", 3, out(3), 3)).toBe('3 "EDt"');
    expect(guest.one("write", 3, "NEW", 3)).toBe("3");
    expect(text(seen(object, PAGE).subarray(0, 6))).toBe("tNEW--");
    expect(guest.one("pwrite64", 3, "over", 4, PAGE - 2)).toBe("4");
    expect([text(seen(object, 0).subarray(PAGE - 8)), text(seen(object, PAGE).subarray(0, 6))]).toEqual([
      ...["--MAPPov", "erEW--"],
    ]);
  });

  test("a write that makes the file longer tells its size, and shows behind the old end", () => {
    open(path, CREAT | RDWR);
    guest.one("write", 3, "abc", 3);
    const object = mapped(3, Read, Shared);
    seen(object, 0);
    guest.one("pwrite64", 3, "def", 3, 10);
    expect(cache.of(object).size).toBe(13);
    expect(text(seen(object, 0).subarray(0, 14))).toBe("abc\0\0\0\0\0\0\0def\0");
    guest.one("pwrite64", 3, "x", 1, 0);
    expect(cache.of(object).size).toBe(13);
  });

  test.each([
    ["ftruncate", () => guest.one("ftruncate", 3, PAGE + 1)],
    ["truncate", () => guest.one("truncate", path, PAGE + 1)],
  ])("%s cuts the cached pages", (_, cut) => {
    open(path, CREAT | RDWR);
    guest.one("write", 3, "z".repeat(3 * PAGE), 3 * PAGE);
    const object = mapped(3, Read, Shared);
    for (const at of [0, PAGE, 2 * PAGE]) seen(object, at);
    expect(cut()).toBe("0");
    expect([...cache.of(object).pages.keys()]).toEqual([0, PAGE]);
    expect(text(seen(object, PAGE).subarray(0, 3))).toBe("z\0\0");
    expect(cache.of(object).size).toBe(PAGE + 1);
  });

  test("O_TRUNC by another descriptor empties it; fallocate makes it longer", () => {
    open(path, CREAT | RDWR);
    guest.one("write", 3, "data", 4);
    const object = mapped(3, Read, Shared);
    seen(object, 0);
    open(path, WR | TRUNC);
    expect([cache.of(object).size, cache.of(object).pages.size]).toEqual([0, 0]);
    guest.one("fallocate", 3, 0, 0, 5000);
    expect(cache.of(object).size).toBe(5000);
    guest.one("fallocate", 3, 1, 0, 9000);
    expect(cache.of(object).size).toBe(5000);
  });

  test("what may not be mapped so, in Linux's order", () => {
    open(path, CREAT | RDWR);
    const [writer, reader] = [open(path, WR), open(path, RD)];
    const directory = open("/tmp", DIRECTORY);
    const errno = (...args: [number, number, number]): number => -map(...args);
    const sync = 0x80000;
    expect([
      errno(writer, Read, Private),
      errno(writer, Write, Shared),
      errno(reader, Read | Write, Shared),
      errno(reader, Read | Write, SharedValidate | sync),
      errno(3, Read, SharedValidate | sync),
      errno(3, Read, 0),
      errno(3, Read, MapFlag.GrowsDown | Private),
      errno(directory, Read, Private),
      errno(99, Read, Private),
    ]).toEqual([
      ...[Errno.EACCES, Errno.EACCES, Errno.EACCES, Errno.EOPNOTSUPP, Errno.EOPNOTSUPP, Errno.EINVAL, Errno.EINVAL],
      ...[Errno.ENODEV, Errno.EBADF],
    ]);
    expect(cache.objects.size).toBe(0);
    expect(map(3, Read, Shared | sync)).toBeGreaterThan(0);
    expect(map(reader, Read | Write, Private)).toBeGreaterThan(0);
  });

  test("no memory for the object: ENOMEM, and nothing stays open", () => {
    open(path, CREAT | RDWR);
    cache.full = true;
    expect(map(3, Read, Shared)).toBe(-Errno.ENOMEM);
    cache.full = false;
    expect(mapped(3, Read, Shared)).toBe(2);
  });
});

test("another inode has another object, although it got the name", () => {
  open("/tmp/f", CREAT | RDWR);
  const object = mapped(3, Read, Shared);
  guest.one("unlinkat", AT, "/tmp/f", 0);
  open("/tmp/f", CREAT | RDWR);
  expect(mapped(4, Read, Shared)).not.toBe(object);
});

test("a file of holes says where its data ends", () => {
  open("/tmp/f", CREAT | RDWR);
  guest.one("ftruncate", 3, 1 << 20);
  expect(cache.of(mapped(3, Read, Shared)).dataEnd).toBe(0);
  open("/tmp/g", CREAT | RDWR);
  guest.one("pwrite64", 4, "x", 1, 20000);
  guest.one("ftruncate", 4, 1 << 20);
  expect(cache.of(mapped(4, Read, Shared)).dataEnd).toBe(32768);
});

test("/dev/zero: private pages of zeros, and each shared mapping a file of its own", () => {
  const fd = open("/dev/zero", RDWR);
  const [one, two] = [mapped(fd, Read | Write, Shared), mapped(fd, Read | Write, Shared)];
  expect(one).not.toBe(two);
  expect(guest.pages(HostCall.WritePages, one, PAGE, pages(1))).toBe(1);
  const [a, b] = [pages(1), pages(1)];
  expect(guest.pages(HostCall.ReadPages, one, PAGE, a)).toBe(1);
  expect(guest.pages(HostCall.ReadPages, two, PAGE, b)).toBe(1);
  expect([a[0]![0], b[0]![0], cache.of(two).dataEnd]).toEqual([0x55, 0, 0]);
  const frames = pages(1);
  expect(guest.pages(HostCall.ReadPages, mapped(fd, Read, Private), 0, frames)).toBe(1);
  expect(Math.max(...frames[0]!)).toBe(0);
});

test("holes are punched in memory, not in the host's files", () => {
  open("/tmp/f", CREAT | RDWR);
  guest.one("write", 3, "z".repeat(40000), 40000);
  const object = mapped(3, Read | Write, Shared);
  seen(object, 0);
  const [keep, punch] = [1, 2];
  expect(guest.one("fallocate", 3, punch, 0, 10)).toBe("EOPNOTSUPP");
  expect(guest.one("fallocate", 3, punch | keep, 10, 33000)).toBe("0");
  expect(whole("/tmp/f")).toBe("z".repeat(10) + "\0".repeat(29990));
  expect(text(seen(object, 0).subarray(8, 12))).toBe("zz\0\0");
  expect(guest.host(HostCall.PunchObject, object, 0, 10)).toBe(0);
  expect(text(seen(object, 0).subarray(0, 2))).toBe("\0\0");
  expect(cache.of(object).size).toBe(40000);
  open("/h/f", CREAT | RDWR);
  expect(guest.one("fallocate", 4, punch | keep, 0, 10)).toBe("EOPNOTSUPP");
  expect(guest.one("fallocate", 4, 0x10, 0, 10)).toBe("EOPNOTSUPP");
});
