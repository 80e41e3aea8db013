/**
 * run/claim.ts: a signal taken for delivery, as the core's claimSignal writes it.
 *
 *   {code i32, pid u32, uid u32, -, value u64, handler u64, flags u64, mask u64}
 *
 * A child's end carries two things in `value`: what si_status tells below, si_utime above (core/task/exit.ts).
 */
import { Signal } from "./signals.js";

/** si_code values of signals that are sent. */
export enum SigInfo {
  User = 0,
  Queue = -1,
  Tkill = -6,
  Kernel = 0x80,
}

export interface Action {
  readonly handler: bigint;
  readonly flags: number;
  readonly mask: bigint;
}

export interface Claim {
  readonly signal: number;
  readonly code: number;
  readonly pid: number;
  readonly uid: number;
  readonly value: bigint;
  /** si_addr of a trap; then pid, uid and value are not used. */
  readonly address?: bigint;
  readonly action: Action;
}

export function readClaim(signal: number, view: DataView): Claim {
  return {
    signal,
    code: view.getInt32(0, true),
    pid: view.getUint32(4, true),
    uid: view.getUint32(8, true),
    value: view.getBigUint64(16, true),
    action: readAction(view, 24),
  };
}

/** struct sigaction as the core keeps it: handler, flags, mask. */
export function readAction(view: DataView, offset: number): Action {
  return {
    handler: view.getBigUint64(offset, true),
    flags: Number(view.getBigUint64(offset + 8, true) & 0xffffffffn),
    mask: view.getBigUint64(offset + 16, true),
  };
}

/** struct siginfo, 128 bytes at `offset`. */
export function writeSigInfo(view: DataView, offset: number, claim: Claim): void {
  for (let i = 0; i < 128; i += 8) view.setBigUint64(offset + i, 0n, true);
  view.setInt32(offset, claim.signal, true);
  view.setInt32(offset + 8, claim.code, true);
  if (claim.address !== undefined) {
    view.setBigUint64(offset + 16, BigInt.asUintN(64, claim.address), true);
    return;
  }
  view.setUint32(offset + 16, claim.pid, true);
  view.setUint32(offset + 20, claim.uid, true);
  if (claim.signal === Signal.CHLD && claim.code > 0) {
    view.setUint32(offset + 24, Number(claim.value & 0xffffffffn), true);
    view.setBigUint64(offset + 32, claim.value >> 32n, true);
  } else view.setBigUint64(offset + 24, claim.value, true);
}
