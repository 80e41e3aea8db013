/** run/signals.ts: signal numbers and flags as riscv64 Linux has them (asm-generic/signal.h). */
export enum Signal {
  HUP = 1,
  INT = 2,
  QUIT = 3,
  ILL = 4,
  TRAP = 5,
  ABRT = 6,
  BUS = 7,
  FPE = 8,
  KILL = 9,
  SEGV = 11,
  PIPE = 13,
  ALRM = 14,
  TERM = 15,
  CHLD = 17,
  STOP = 19,
}

export const SIGNALS = 64;

export enum ActionFlag {
  SigInfo = 0x4,
  OnStack = 0x08000000,
  Restart = 0x10000000,
  NoDefer = 0x40000000,
}

export const SIG_DFL = 0n;
export const SIG_IGN = 1n;

export function signalBit(signal: number): bigint {
  return 1n << BigInt(signal - 1);
}
