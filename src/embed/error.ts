/** embed/error.ts: what a memory call or an access throws. */
import { Errno } from "../core/abi/errno.js";
import { Access, SegvCode } from "../core/abi/exit.js";

/** A call was refused: Linux's errno for it. */
export class MemoryError extends Error {
  constructor(
    readonly errno: number,
    readonly call: string,
  ) {
    super(`${call}: ${Errno[errno] ?? `errno ${errno}`}`);
  }

  /** "ENOMEM" */
  get code(): string {
    return Errno[this.errno] ?? String(this.errno);
  }
}

/** An access that nothing maps, or that the mapping forbids: SIGSEGV's address and code. */
export class AccessFault extends Error {
  constructor(
    readonly address: bigint,
    readonly access: Access,
    readonly code: SegvCode,
  ) {
    super(`${Access[access]} at 0x${address.toString(16)}: ${SegvCode[code]}`);
  }
}

/** The result, or its errno thrown. */
export function checked<T extends number | bigint>(result: T, call: string): T {
  if (result < 0) throw new MemoryError(-Number(result), call);
  return result;
}
