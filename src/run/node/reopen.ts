/** node/reopen.ts: a non-blocking descriptor on the same pipe or terminal, without telling the neighbours.
 *  O_NONBLOCK belongs to the open file description, which the shell's other processes share, so setting it would break
 *  them. Opening /proc/self/fd/N makes a description of our own. Where that is refused (sockets, systems without /proc)
 *  the answer is undefined: a stream made on the descriptor itself sets the flag, and Node puts it back when it exits. */
import fs from "node:fs";
import net from "node:net";
import tty from "node:tty";

export type StreamKind = "pipe" | "socket" | "terminal";

export function reopen(fd: number, access: number): number | undefined {
  try {
    return fs.openSync(`/proc/self/fd/${fd}`, access | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}

/** A stream that tells when a byte has come, by reading that one byte; it reads only between resume and pause. */
export function byteStream(fd: number, kind: StreamKind, byte: (value: number) => void): net.Socket {
  const onread = {
    buffer: new Uint8Array(1),
    callback: (count: number, buffer: Uint8Array): boolean => {
      if (count > 0) byte(buffer[0] ?? 0);
      return false;
    },
  };
  // `onread` is an option of every socket; the declarations give it to connecting ones alone.
  const options = { fd, readable: true, writable: false, onread } as net.SocketConstructorOpts;
  return kind === "terminal" ? new tty.ReadStream(fd, options) : new net.Socket(options);
}
