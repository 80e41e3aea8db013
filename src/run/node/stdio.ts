/** node/stdio.ts: Faultline's own stdin, stdout and stderr as the guest's.
 *  What kind each is decides who serves it: a regular file is read and written in place; /dev/null and the like are too,
 *  they never wait; a pipe, socket or terminal is a stream (inbound.ts, outbound.ts) that must not block the main thread,
 *  for signals arrive there.
 */
import fs from "node:fs";
import tty from "node:tty";
import type { HostStdio, HostStream, HostTerminal } from "../files/host.js";
import { Mode, Open } from "../files/linux.js";
import { counted, toStat } from "./hostfs.js";
import { InboundStream } from "./inbound.js";
import { OutboundStream } from "./outbound.js";

/** Descriptors 0, 1 and 2; Node itself has put /dev/null where one was closed. */
export function nodeStdio(): HostStdio[] {
  return [0, 1, 2].map((fd) => {
    const type = fs.fstatSync(fd).mode & Mode.TypeMask;
    const flags = flagsOf(fd);
    if (type === Mode.Regular || type === Mode.Directory || type === Mode.BlockDevice)
      return { kind: "file", fd, flags, tell: () => tell(fd) };
    const access = fd === 0 ? Open.ReadOnly : Open.WriteOnly;
    return { kind: "stream", flags: (flags & Open.Append) | access, stream: streamOf(fd, type, flags) };
  });
}

function streamOf(fd: number, type: number, flags: number): HostStream {
  const isTerminal = tty.isatty(fd);
  if (type === Mode.CharDevice && !isTerminal) return new Device(fd);
  const terminal = isTerminal ? new Terminal(fd) : undefined;
  const kind = type === Mode.Socket ? "socket" : isTerminal ? "terminal" : "pipe";
  // A terminal is opened for both: /dev/tty is read and written.
  const access = isTerminal ? Open.ReadWrite : flags & Open.AccessMask;
  return fd === 0 ? new InboundStream(fd, kind, access, terminal) : new OutboundStream(fd, kind, access, terminal);
}

function fdinfo(fd: number): string {
  try {
    return fs.readFileSync(`/proc/self/fdinfo/${fd}`, "latin1");
  } catch {
    return "";
  }
}

/** Access mode and status flags; without /proc, what the descriptor's number stands for. */
function flagsOf(fd: number): number {
  const match = /^flags:\s*([0-7]+)/m.exec(fdinfo(fd));
  if (match) return Number.parseInt(match[1] ?? "0", 8) & (Open.AccessMask | Open.Append);
  return fd === 0 ? Open.ReadOnly : Open.WriteOnly;
}

function tell(fd: number): number {
  return Number(/^pos:\s*(\d+)/m.exec(fdinfo(fd))?.[1] ?? 0);
}

class Terminal implements HostTerminal {
  private stream: tty.WriteStream | undefined;

  constructor(private readonly fd: number) {}

  size(): { columns: number; rows: number } {
    this.stream ??= new tty.WriteStream(this.fd);
    const [columns, rows] = this.stream.getWindowSize();
    return { columns, rows };
  }

  /** Node puts the terminal back as it was when it exits. */
  setRaw(raw: boolean): void {
    if (process.stdin.isTTY) process.stdin.setRawMode(raw);
  }
}

/** /dev/null, /dev/zero …: always ready. */
class Device implements HostStream {
  readonly terminal = undefined;
  constructor(private readonly fd: number) {}
  stat() {
    return toStat(fs.fstatSync(this.fd, { bigint: true }));
  }
  read(into: Uint8Array): number {
    return counted(() => fs.readSync(this.fd, into, 0, into.length, null));
  }
  write(from: Uint8Array): number {
    return counted(() => fs.writeSync(this.fd, from, 0, from.length, null));
  }
  readable(): boolean {
    return true;
  }
  writable(): boolean {
    return true;
  }
  watch(): () => void {
    return () => {};
  }
  available(): number {
    return 0;
  }
  close(): void {}
  async drained(): Promise<void> {}
}
