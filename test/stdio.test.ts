/** Faultline's own standard streams, over a named pipe: what the guest closes stays open on the host. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { InboundStream } from "../src/run/node/inbound";
import { OutboundStream } from "../src/run/node/outbound";
import { temporary } from "./support/files-guest";

const { path: folder, end } = temporary();
afterAll(end);

/** Both ends of a new pipe. */
function pipe(name: string): [number, number] {
  const path = join(folder, name);
  execFileSync("mkfifo", [path]);
  const reader = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  return [reader, fs.openSync(path, "w")];
}

const READ_ONLY = 0;
const WRITE_ONLY = 1;

test("stdout that the guest closes gives out what it was given, and its number stays the pipe's", async () => {
  const [reader, writer] = pipe("out");
  const pipeOf = fs.fstatSync(writer).ino;
  const stream = new OutboundStream(writer, "pipe", WRITE_ONLY, undefined);
  expect(stream.write(Buffer.from("last words"))).toBe(10);
  stream.close();
  await new Promise(setImmediate);
  expect(fs.fstatSync(writer).ino).toBe(pipeOf);
  const got = Buffer.alloc(20);
  expect(got.toString("latin1", 0, fs.readSync(reader, got))).toBe("last words");
  expect(() => fs.readSync(reader, got)).toThrow("EAGAIN");
  for (const fd of [reader, writer]) fs.closeSync(fd);
});

test("stdin that the guest closes leaves its number and what was not read", async () => {
  const [reader, writer] = pipe("in");
  const pipeOf = fs.fstatSync(reader).ino;
  const stream = new InboundStream(reader, "pipe", READ_ONLY, undefined);
  fs.writeSync(writer, "one two");
  const got = Buffer.alloc(3);
  expect([stream.read(got), got.toString()]).toEqual([3, "one"]);
  stream.close();
  await new Promise(setImmediate);
  expect(fs.fstatSync(reader).ino).toBe(pipeOf);
  const rest = Buffer.alloc(9);
  expect(rest.toString("latin1", 0, fs.readSync(reader, rest))).toBe(" two");
  for (const fd of [reader, writer]) fs.closeSync(fd);
});
