/** embed/memoryCore.ts: the exports of the core that an embedder needs beyond the run engine's, and its clock. */
import { type Core, instantiateCore } from "../run/core.js";

export interface MemoryCore extends Core {
  idleEnter(cpu: number): void;
  idleLeave(cpu: number): void;
  guestRead(cpu: number, to: number, from: bigint, length: number): bigint;
  guestWrite(cpu: number, to: bigint, from: number, length: number): bigint;
  fill(cpu: number, address: bigint, access: number): number;
  fillEvery(cpu: number, start: bigint, end: bigint, step: bigint, access: number): number;
  fillRange(cpu: number, start: bigint, end: bigint, access: number): number;
  resident(cpu: number, address: bigint, access: number): number;
  settle(cpu: number, rounds: number): number;
  verifySpace(cpu: number): number;
}

export function instantiateMemoryCore(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  now: () => number,
): MemoryCore {
  return instantiateCore(module, memory, now) as MemoryCore;
}

/** Nanoseconds since a moment that is the same in every worker. */
export function clockSince(originMs: number): () => number {
  const behindMs = performance.timeOrigin - originMs;
  return () => (behindMs + performance.now()) * 1e6;
}
