/** System V shared memory: segments by key and id, as long as somebody has them. */
import { beforeEach, expect, test } from "vitest";
import { Errno } from "../src/core/abi/errno";
import type { Files } from "../src/run/files/files";
import { HostCall } from "../src/run/files/service";
import { TestCache } from "./support/files-cache";
import { out } from "./support/files-calls";
import { FilesGuest, makeFiles } from "./support/files-guest";

const [CREAT, EXCL, HUGE, RDONLY, EXEC] = [0o1000, 0o2000, 0o4000, 0o10000, 0o100000];
const [RMID, SET, STAT, INFO, LOCK, UNLOCK, STAT_AT, USAGE, ANY] = [0, 1, 2, 3, 11, 12, 13, 14, 15];
let files: Files;
let guest: FilesGuest;
let cache: TestCache;

function start(owner = { uid: 0, gid: 0 }): void {
  files = makeFiles({ owner });
  guest = new FilesGuest(files, "/tmp", 0, 42);
  cache = new TestCache();
  files.connect({ cache });
}
beforeEach(() => start());

const get = (key: number, size: number | bigint, flags = 0): number => guest.raw("shmget", key, size, flags);
function attach(id: number, flags = 0, who = guest): number {
  const object = who.host(HostCall.ShmAt, id, flags, 0);
  if (object > 0) cache.map(object, (flags & RDONLY) === 0);
  return object;
}
/** shmdt of the last one to have it. */
function detach(object: number, who = guest): void {
  expect(who.host(HostCall.ShmDt, object)).toBeGreaterThan(0);
  cache.unmap(object, true);
  if (cache.mappings(object) === 0) expect(who.host(HostCall.ReleaseObject, object)).toBe(0);
}
function stat(id: number, command = STAT) {
  const at = guest.place("", 112);
  const result = guest.raw("shmctl", id, command, at);
  const view = new DataView(guest.memory.buffer, at, 112);
  const words = [0, 4, 8, 12, 16, 20].map((offset) => view.getInt32(offset, true));
  const [key, uid, gid, cuid, cgid, mode] = words;
  const long = (offset: number): number => Number(view.getBigInt64(offset, true));
  const times = { attached: long(56), detached: long(64), changed: long(72) };
  const pids = { creator: view.getInt32(80, true), user: view.getInt32(84, true) };
  const counts = { sequence: view.getUint16(24, true), size: long(48), attachments: long(88) };
  return { result, key, uid, gid, cuid, cgid, mode, ...times, ...pids, ...counts };
}
const ctl = (id: number, command: number, address = 0): number => guest.raw("shmctl", id, command, address);

test("a key leads to one segment, IPC_PRIVATE always to a new one", () => {
  expect(get(77, 5000, 0o600)).toBe(-Errno.ENOENT);
  const id = get(77, 5000, CREAT | 0o600);
  expect(id).toBeGreaterThanOrEqual(0);
  expect([get(77, 5000), get(77, 100, CREAT), get(77, 0)]).toEqual([id, id, id]);
  expect(get(77, 5000, CREAT | EXCL)).toBe(-Errno.EEXIST);
  expect(get(77, 5001)).toBe(-Errno.EINVAL);
  expect(new Set([get(0, 1), get(0, 1), id]).size).toBe(3);
  expect([get(78, 0, CREAT), get(78, -1n, CREAT), get(78, 4096, CREAT | HUGE)]).toEqual([
    ...[-Errno.EINVAL, -Errno.EINVAL, -Errno.EINVAL],
  ]);
  expect(get(78, 1n << 50n, CREAT)).toBe(-Errno.ENOMEM);
});

test("4096 of them, no more", () => {
  const ids = Array.from({ length: 4096 }, () => get(0, 1));
  expect(new Set(ids).size).toBe(4096);
  expect(get(0, 1)).toBe(-Errno.ENOSPC);
  expect(ctl(ids[9] as number, RMID)).toBe(0);
  expect(get(0, 1)).toBeGreaterThan(0);
});

test("IPC_STAT tells who made it, who uses it and since when", () => {
  const id = get(0x1234, 5000, CREAT | 0o640);
  const from = Math.floor(Date.now() / 1000);
  const fresh = stat(id);
  expect(fresh).toMatchObject({ result: 0, key: 0x1234, uid: 0, gid: 0, cuid: 0, cgid: 0, mode: 0o640 });
  expect(fresh).toMatchObject({ size: 5000, creator: 42, user: 0, attached: 0, detached: 0, attachments: 0 });
  expect(fresh.changed).toBeGreaterThanOrEqual(from - 1);
  expect(guest.host(HostCall.ForkFiles, 50, 0)).toBe(0);
  const child = new FilesGuest(files, "/tmp", 1, 50);
  const object = attach(id, 0, child);
  expect(attach(id, RDONLY)).toBe(object);
  expect(new DataView(guest.bounced(0, 8).buffer).getBigUint64(0, true)).toBe(5000n);
  expect(stat(id)).toMatchObject({ user: 42, attachments: 2, detached: 0 });
  expect(stat(id).attached).toBeGreaterThanOrEqual(from);
  detach(object, child);
  expect(stat(id)).toMatchObject({ user: 50, attachments: 1 });
  expect(stat(id).detached).toBeGreaterThanOrEqual(from);
});

test("what is in it stays while nobody has it attached, and is the same for everybody", () => {
  const id = get(5, 5000, CREAT | 0o600);
  const first = attach(id);
  const page = new Uint8Array(4096).fill(7);
  expect(guest.pages(HostCall.WritePages, first, 4096, [page])).toBe(1);
  detach(first);
  const second = attach(get(5, 5000));
  expect(second).not.toBe(first);
  const frames = [new Uint8Array(4096), new Uint8Array(4096)];
  expect(guest.pages(HostCall.ReadPages, second, 0, frames)).toBe(2);
  expect(frames.map((frame) => frame[4095])).toEqual([0, 7]);
  expect(cache.of(attach(id)).mappings).toBe(2);
});

test("a removed one is gone at once when nobody has it, else with the last mapping", () => {
  const idle = get(8, 1, CREAT);
  expect(ctl(idle, RMID)).toBe(0);
  expect([get(8, 1), ctl(idle, RMID), attach(idle)]).toEqual([-Errno.ENOENT, -Errno.EINVAL, -Errno.EINVAL]);
  const id = get(9, 1, CREAT | 0o600);
  const object = attach(id);
  expect(ctl(id, RMID)).toBe(0);
  expect(get(9, 1)).toBe(-Errno.ENOENT);
  expect(stat(id)).toMatchObject({ key: 0, mode: 0o1600, attachments: 1 });
  expect(attach(id)).toBe(object);
  detach(object);
  detach(object);
  expect(stat(id).result).toBe(-Errno.EINVAL);
  expect(guest.host(HostCall.ShmDt, object)).toBe(-Errno.EINVAL);
});

test("an id whose index another segment got is EIDRM", () => {
  const id = get(0, 1);
  ctl(id, RMID);
  for (let i = 1; i < 64; i++) ctl(get(0, 1), RMID);
  const again = get(0, 1);
  expect(again).toBe(id + 0x8000);
  expect([stat(id).result, attach(id), ctl(id, RMID)]).toEqual([-Errno.EIDRM, -Errno.EIDRM, -Errno.EIDRM]);
  expect(stat(again)).toMatchObject({ result: 0, sequence: 1 });
});

test("IPC_SET changes owner and permissions, SHM_LOCK marks it", () => {
  const id = get(1, 100, CREAT | 0o600);
  const set = Buffer.alloc(112);
  set.writeUInt32LE(1000, 4);
  set.writeUInt32LE(1001, 8);
  set.writeUInt32LE(0o7644, 20);
  expect(ctl(id, SET, guest.place(set))).toBe(0);
  expect(stat(id)).toMatchObject({ uid: 1000, gid: 1001, cuid: 0, cgid: 0, mode: 0o644 });
  expect(ctl(id, LOCK)).toBe(0);
  expect(stat(id).mode).toBe(0o2644);
  expect(ctl(id, UNLOCK)).toBe(0);
  expect(stat(id).mode).toBe(0o644);
  expect(ctl(id, SET, 8)).toBe(-Errno.EFAULT);
});

test("without the permission nothing is attached or looked at", () => {
  start({ uid: 1000, gid: 1000 });
  const mine = get(1, 100, CREAT | 0o400);
  expect(get(1, 100, 0o600)).toBe(-Errno.EACCES);
  expect(get(1, 100, 0o400)).toBe(mine);
  expect([attach(mine), attach(mine, RDONLY | EXEC)]).toEqual([-Errno.EACCES, -Errno.EACCES]);
  expect(attach(mine, RDONLY)).toBeGreaterThan(0);
  const set = Buffer.alloc(112);
  set.writeUInt32LE(2000, 4);
  set.writeUInt32LE(2000, 8);
  expect(ctl(mine, SET, guest.place(set))).toBe(0);
  expect(stat(mine).result).toBe(-Errno.EACCES);
  expect(stat(mine & 0x7fff, STAT_AT).result).toBe(-Errno.EACCES);
  expect(stat(mine & 0x7fff, ANY)).toMatchObject({ result: mine, mode: 0, cuid: 1000 });
  expect(ctl(mine, RMID)).toBe(0);
});

test("limits, usage, and segments by index", () => {
  expect(ctl(0, INFO, guest.place("", 72))).toBe(0);
  get(0, 5000);
  const id = get(0, 4096);
  const at = guest.place("", 72);
  expect(ctl(0, INFO, at)).toBe(1);
  const word = (index: number): bigint => new DataView(guest.memory.buffer).getBigUint64(at + index * 8, true);
  expect([0, 1, 2, 3, 4].map(word)).toEqual([(1n << 64n) - 1n - (1n << 24n), 1n, 4096n, 4096n, word(0)]);
  expect(ctl(0, USAGE, at)).toBe(1);
  expect([0, 1, 2].map(word)).toEqual([2n, 3n, 0n]);
  expect(stat(1, STAT_AT)).toMatchObject({ result: id, size: 4096 });
  expect([stat(2, STAT_AT).result, ctl(-1, STAT, at), ctl(id, -1, at), ctl(id, 99, at)]).toEqual(
    Array(4).fill(-Errno.EINVAL),
  );
  expect(guest.one("shmctl", id, STAT, out(112))).toBe("0");
});
