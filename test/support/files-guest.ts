/** The file service as a guest thread reaches it: a piece of "guest memory", the marshaller, FileService.handle.
 *  Over memory, over a host directory given with --dir, and over one that is the guest's root. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Errno } from "../../src/core/abi/errno";
import { Files, type FilesOptions } from "../../src/run/files/files";
import type { HostStdio, HostStream } from "../../src/run/files/host";
import { Mode } from "../../src/run/files/linux";
import { CALL_BYTES, type FilePort, fileCall } from "../../src/run/files/marshal";
import type { Bind } from "../../src/run/files/mounts";
import { BOUNCE_BYTES, type HostCall } from "../../src/run/files/service";
import type { Stat } from "../../src/run/files/stat";
import { nodeHostFs } from "../../src/run/node/hostfs";
import { type Answer, type Arg, AT, type Call, guestDialect, guestNumber, show } from "./files-calls";

const MEMORY = 1 << 24;
/** Below it nothing is mapped, as for a guest. */
const FIRST = 0x10000;

/** One guest thread: what its calls answer. */
export class FilesGuest implements FilePort {
  readonly memory = new Uint8Array(MEMORY);
  private readonly bounce = new Uint8Array(new SharedArrayBuffer(BOUNCE_BYTES));
  readonly bytes = this.bounce.subarray(0, CALL_BYTES);
  requests = 0;
  private top = FIRST;

  constructor(
    readonly files: Files,
    readonly home: string,
    readonly cpu = 0,
    /** undefined: the first process. */
    readonly pid?: number,
  ) {}

  private mapped(address: bigint, length: number): boolean {
    return address >= BigInt(FIRST) && address + BigInt(length) <= BigInt(MEMORY);
  }
  copyIn(address: bigint, offset: number, length: number): number {
    if (!this.mapped(address, length)) return -Errno.EFAULT;
    this.bounce.set(this.memory.subarray(Number(address), Number(address) + length), offset);
    return 0;
  }
  copyOut(address: bigint, offset: number, length: number): number {
    if (!this.mapped(address, length)) return -Errno.EFAULT;
    this.memory.set(this.bounce.subarray(offset, offset + length), Number(address));
    return 0;
  }
  request(nr: number, args: readonly bigint[], flags: number): number {
    const { cpu, bounce } = this;
    this.requests++;
    const result = this.files.handle({ cpu, ...this.who(), nr, args, flags, bounce });
    if (typeof result !== "number") throw new Error(`call ${nr} would wait`);
    return result;
  }

  private who() {
    return { tid: this.pid ?? 1 + this.cpu, ...(this.pid === undefined ? {} : { pid: this.pid }) };
  }

  /** A request of the machine's own. */
  host(nr: HostCall, ...args: ReadonlyArray<number | bigint>): number {
    return this.request(nr, args.map(BigInt), 0);
  }
  /** ReadPages or WritePages. */
  pages(nr: HostCall, object: number, offset: number, pages: readonly Uint8Array[]): number {
    const args = [object, offset, pages.length].map(BigInt);
    const { cpu, bounce } = this;
    const result = this.files.handle({ cpu, ...this.who(), nr, args, flags: 0, bounce, pages });
    if (typeof result !== "number") throw new Error("pages would wait");
    return result;
  }
  /** Bytes of the bounce buffer. */
  bounced(offset: number, length: number): Uint8Array {
    return this.bounce.slice(offset, offset + length);
  }
  /** Puts bytes into the bounce buffer; how many. */
  put(offset: number, text: string): number {
    this.bounce.set(Buffer.from(text, "latin1"), offset);
    return text.length;
  }

  /** What the service wanted written back, and what that answers. */
  readonly writtenBack: number[][] = [];
  writeBackAnswer = 0;
  writeBackObjects(objects: readonly number[]): number {
    this.writtenBack.push([...objects]);
    return this.writeBackAnswer;
  }
  /** The memory of other processes: a page at its own number times 4096. */
  readonly pagesOf = new Map<string, Uint8Array>();
  moveMemory(pid: number, address: bigint, length: number, write: boolean): number {
    for (let done = 0; done < length; done++) {
      const at = Number(address) + done;
      const page = this.pagesOf.get(`${pid}:${Math.floor(at / 4096)}`);
      if (!page) return done || -Errno.EIO;
      if (write) page[at % 4096] = this.bytes[done] as number;
      else this.bytes[done] = page[at % 4096] as number;
    }
    return length;
  }

  /** Asks the service itself, for calls that wait; buffers lie at the start of `bounce`. */
  async ask(name: Call[0], args: readonly number[], data = "", flags = 0): Promise<number> {
    this.bounce.set(Buffer.from(`${data}\0`, "latin1"));
    const request = { cpu: this.cpu, ...this.who(), nr: guestNumber(name), flags, bounce: this.bounce };
    return this.files.handle({ ...request, args: args.map(BigInt) });
  }
  text(length: number): string {
    return Buffer.from(this.bounce.subarray(0, length)).toString("latin1");
  }

  /** Room in guest memory with these bytes in it. */
  place(bytes: Uint8Array | string, room = bytes.length): number {
    const at = this.top;
    this.memory.set(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, at);
    this.top = (at + room + 16) & ~7;
    return at;
  }

  /** Any call, arguments as the registers have them. */
  raw(name: Call[0], ...args: ReadonlyArray<number | bigint>): number {
    const six = Array.from({ length: 6 }, (_, i) => BigInt(args[i] ?? 0));
    const result = fileCall(this, guestNumber(name), six);
    if (result === undefined) throw new Error(`${name} is no file call`);
    return result;
  }

  answer([name, ...args]: Call): Answer {
    this.top = FIRST;
    const places: Array<readonly [number, number]> = [];
    const value = (arg: Arg): number | bigint => {
      if (arg === null) return 0;
      if (typeof arg === "string") return this.place(`${arg}\0`);
      if (typeof arg !== "object") return arg;
      const at = this.place(new Uint8Array(arg.out));
      places.push([at, arg.out]);
      return at;
    };
    const result = this.raw(name, ...args.map(value));
    return { result, outs: places.map(([at, length]) => this.memory.slice(at, at + length)) };
  }

  run(calls: readonly Call[]): string[] {
    return calls.map((call) => show(call, this.answer(call), guestDialect(this.home)));
  }
  one(...call: Call): string {
    return this.run([call])[0] as string;
  }
}

/** A stream that is always ready: takes what is written, gives what is put in `input`. */
export class TestStream implements HostStream {
  readonly terminal = undefined;
  written = "";
  input = "";
  ended = false;
  closed = false;
  /** What write answers instead of taking the bytes. */
  refuses = 0;
  private readonly listeners = new Set<() => void>();

  stat(): Stat {
    const [size, blocks, rdev] = [0n, 0n, 0n];
    const times = { accessNs: 0n, modifyNs: 0n, changeNs: 0n };
    return {
      dev: 1n,
      ino: 1n,
      mode: Mode.Fifo | 0o600,
      nlink: 1,
      uid: 0,
      gid: 0,
      rdev,
      size,
      blockSize: 4096,
      blocks,
      ...times,
    };
  }
  read(into: Uint8Array): number {
    if (this.input === "") return this.ended ? 0 : -Errno.EAGAIN;
    const piece = Buffer.from(this.input.slice(0, into.length), "latin1");
    into.set(piece);
    this.input = this.input.slice(piece.length);
    return piece.length;
  }
  write(from: Uint8Array): number {
    if (this.refuses) return -this.refuses;
    this.written += Buffer.from(from).toString("latin1");
    return from.length;
  }
  readable(): boolean {
    return this.input !== "" || this.ended;
  }
  writable(): boolean {
    return this.refuses === 0;
  }
  available(): number {
    return this.input.length;
  }
  watch(_reading: boolean, listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
  close(): void {
    this.closed = true;
  }
  async drained(): Promise<void> {}
}

export const streams = (): { streams: TestStream[]; stdio: HostStdio[] } => {
  const made = [new TestStream(), new TestStream(), new TestStream()];
  return { streams: made, stdio: made.map((stream, fd) => ({ kind: "stream", stream, flags: fd === 0 ? 0 : 1 })) };
};

export function makeFiles(options: Partial<FilesOptions> = {}): Files {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  return new Files({
    host: nodeHostFs,
    stdio: streams().stdio,
    binds: [],
    cwd: "/tmp",
    owner,
    umask: 0o022,
    pid: 42,
    argv: ["prog", "arg"],
    cpus: 2,
    memoryBytes: 2 ** 26,
    findProgram: (name) => ({ host: name, guest: name }),
    ...options,
  });
}

export interface Kind {
  readonly name: string;
  /** A fresh machine whose working directory is empty; `end` removes it. */
  readonly make: () => { guest: FilesGuest; end: () => void };
}

export function temporary(): { path: string; end: () => void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "faultline-files-")));
  chmodSync(path, 0o755);
  return { path, end: () => rmSync(path, { recursive: true, force: true }) };
}

function inMemory(): ReturnType<Kind["make"]> {
  const guest = new FilesGuest(makeFiles({ cwd: "/" }), "/top/home");
  guest.run([
    ["mkdirat", AT, "top", 0o755],
    ["mkdirat", AT, "top/home", 0o755],
    ["chdir", "top/home"],
  ]);
  return { guest, end: () => {} };
}

function onHost(home: string, options: (path: string) => Partial<FilesOptions>): ReturnType<Kind["make"]> {
  const { path, end } = temporary();
  mkdirSync(join(path, "home"));
  return { guest: new FilesGuest(makeFiles({ cwd: home, ...options(path) }), home), end };
}

const given = (host: string): Bind => ({ host, guest: "/given", readOnly: false });

export const KINDS: readonly Kind[] = [
  { name: "memory", make: inMemory },
  { name: "--dir", make: () => onHost("/given/home", (path) => ({ binds: [given(path)] })) },
  { name: "--root", make: () => onHost("/home", (root) => ({ root })) },
];
