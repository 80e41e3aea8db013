/** files/fail.ts: how a file call ends early inside the service: one thrown value that carries the errno.
 *  Thrown only under Files.handle (files.ts), which turns it into the negative result; a guest's mistake therefore
 *  never mixes with an Error, which is Faultline's own. */
import type { Errno } from "../../core/abi/errno.js";

export class Fail {
  constructor(readonly errno: Errno) {}
}

export function fail(errno: Errno): never {
  throw new Fail(errno);
}

/** Runs body; a Fail becomes its negative errno. */
export function attempt(body: () => number): number {
  try {
    return body();
  } catch (error) {
    if (error instanceof Fail) return -error.errno;
    throw error;
  }
}
