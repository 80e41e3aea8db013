/**
 * The reference programs with their counts.
 *
 * Published  how many complete traces: GenMC 0.11 under sequential consistency (its tests/correct), Nidhugg for fib_bench,
 *            "Optimal dynamic partial order reduction" (2014) for filesystem.
 * Own        how many blocked and deadlocked ones, and all of what is listed under OWN: by brute force. Peers count blocked
 *            executions each in a way of its own, so there is nothing to agree with.
 * Large      the strategies only: brute force would take too long, or every test run would. Their rows without a closed form
 *            are GenMC's.
 */
import type { Program } from "./actor.js";
import type { Ends } from "./count.js";
import {
  filesystem,
  increments,
  indexer,
  lockedIncrements,
  lostIncrements,
  rotatingSwaps,
  storeAndSwaps,
  swapsAndStores,
} from "./counters.js";
import {
  coherenceAbove,
  fibonacci,
  iriw,
  lastZero,
  messagePassing,
  readers,
  storeBuffering,
  writers,
} from "./litmus.js";
import {
  crossedLocks,
  dekker,
  eitherBecomes,
  eitherOfTwo,
  lamport,
  lateReader,
  peterson,
  spinLock,
  szymanski,
  thereAndBack,
  throughTheGap,
  timeLimits,
} from "./mutexes.js";

export interface Reference {
  readonly program: Program;
  readonly ends: Ends;
}

function row(program: Program, complete: number, blocked = 0, deadlocked = 0): Reference {
  return { program, ends: { complete, blocked, deadlocked } };
}

function rows(program: (n: number) => Program, counts: Readonly<Record<number, number>>): Reference[] {
  return Object.entries(counts).map(([n, complete]) => row(program(Number(n)), complete));
}

export const PUBLISHED: readonly Reference[] = [
  row(storeBuffering(), 3),
  row(messagePassing(), 3),
  row(iriw(), 15),
  ...rows((n) => increments(n, 1), { 2: 2, 3: 6, 4: 24, 5: 120, 6: 720 }),
  ...rows((n) => increments(n, 2), { 2: 4, 3: 36, 4: 576 }),
  ...rows((n) => increments(n, 3), { 2: 8, 3: 216 }),
  ...rows(lostIncrements, { 2: 4, 3: 36, 4: 576 }),
  ...rows(readers, { 2: 4, 7: 128 }),
  ...rows(writers, { 4: 720 }),
  ...rows(rotatingSwaps, { 2: 2, 3: 5, 4: 14, 5: 43, 6: 144, 7: 523, 8: 2048 }),
  ...rows(swapsAndStores, { 2: 6, 3: 66, 4: 1200 }),
  ...rows(storeAndSwaps, { 2: 5, 3: 13, 4: 33, 5: 81, 6: 193 }),
  ...rows(coherenceAbove, { 1: 4, 2: 15, 3: 130, 4: 2028 }),
  ...rows(lastZero, { 1: 2, 2: 5, 3: 12, 4: 28, 5: 64 }),
  row(indexer([0, 11]), 8),
  row(filesystem([0, 13]), 2, 2),
  row(lamport(2), 16, 16),
  row(peterson(), 4, 6),
  row(szymanski(), 6, 97),
  row(dekker(), 3),
  ...rows(fibonacci, { 1: 11, 2: 140 }),
  row(lockedIncrements(2), 2, 2),
  row(lockedIncrements(3), 6, 15),
  row(lockedIncrements(4), 24, 124),
];

/** Waiting as the core waits, and time limits. */
export const OWN: readonly Reference[] = [
  row(spinLock(2), 4),
  row(spinLock(3), 60),
  row(crossedLocks(), 8, 0, 1),
  row(thereAndBack(), 1, 0, 1),
  row(eitherOfTwo(), 20, 0, 1),
  row(eitherBecomes(), 8, 0, 2),
  row(throughTheGap(), 23, 0, 26),
  row(lateReader(), 2),
  row(timeLimits(2), 2),
  row(timeLimits(3), 12),
];

export const LARGE: readonly Reference[] = [
  ...rows((n) => increments(n, 1), { 7: 5040 }),
  ...rows((n) => increments(n, 3), { 4: 13824 }),
  ...rows(lostIncrements, { 5: 14400 }),
  ...rows(readers, { 8: 256, 13: 8192 }),
  ...rows(writers, { 5: 5040 }),
  ...rows(rotatingSwaps, { 9: 8597 }),
  ...rows(swapsAndStores, { 5: 32880 }),
  ...rows(storeAndSwaps, { 7: 449, 8: 1025, 9: 2305 }),
  ...rows(coherenceAbove, { 5: 49776 }),
  ...rows(lastZero, { 7: 320, 10: 3328, 15: 147456 }),
  row(indexer([0, 11, 1, 12, 2, 13, 3, 14]), 4096),
  row(indexer(Array.from({ length: 12 }, (_, i) => i)), 8),
  row(indexer(Array.from({ length: 15 }, (_, i) => i)), 4096),
  ...rows(fibonacci, { 5: 218243 }),
];
