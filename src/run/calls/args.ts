/** calls/args.ts: what a call is, and how it reads its arguments from registers. */
import type { Thread } from "../thread.js";

/** Serves one call: the result or a negative errno; or RESTART or NO_RESULT (thread.ts). */
export type Call = (thread: Thread, args: Args) => number | bigint;

/** a0 … a5, as signed 64-bit values. */
export type Args = readonly bigint[];

/** An `int` argument. */
export function int(args: Args, i: number): number {
  return Number(BigInt.asIntN(32, args[i] as bigint));
}

/** An `unsigned int` argument. */
export function uint(args: Args, i: number): number {
  return Number(BigInt.asUintN(32, args[i] as bigint));
}

/** A pointer or unsigned long. */
export function long(args: Args, i: number): bigint {
  return BigInt.asUintN(64, args[i] as bigint);
}
