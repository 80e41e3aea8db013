/** The oracle of results by itself: which histories of one page some order explains. Times are of call and return. */
import { expect, test } from "vitest";
import { History } from "../src/check/history.js";
import type { PageAction } from "../src/check/operations.js";

const PAGE = 0x5000;
const RW = 3;
const R = 1;
const write = (value: number, done = true): PageAction => ({ kind: "write", offset: 0, value, done });
const read = (value: number | undefined): PageAction => ({ kind: "read", offset: 0, value });
const unmap: PageAction = { kind: "unmap" };
const map: PageAction = { kind: "map", prot: RW };
const zero: PageAction = { kind: "zero", sure: true };
const readOnly: PageAction = { kind: "protect", prot: R, sure: true };

function explained(...timed: [PageAction, number, number][]): boolean {
  const history = new History();
  history.mapped(PAGE, RW);
  for (const [action, begin, end] of timed) history.add(PAGE, { action, lane: 0, begin, end });
  return history.unexplained() === undefined;
}

test("a read gives zero, or what was written before", () => {
  expect(explained([read(0), 0, 1])).toBe(true);
  expect(explained([write(7), 0, 1], [read(7), 2, 3])).toBe(true);
  expect(explained([write(7), 0, 1], [read(0), 2, 3])).toBe(false);
  expect(explained([read(9), 0, 1])).toBe(false);
});

test("what overlaps may come in either order, but in one", () => {
  expect(explained([write(7), 0, 5], [read(0), 1, 2], [read(7), 3, 4])).toBe(true);
  expect(explained([write(7), 0, 5], [read(7), 1, 2], [read(0), 3, 4])).toBe(false);
});

test("after munmap returned, every access faults", () => {
  expect(explained([unmap, 0, 1], [read(undefined), 2, 3])).toBe(true);
  expect(explained([unmap, 0, 1], [read(0), 2, 3])).toBe(false);
  expect(explained([unmap, 0, 1], [write(7), 2, 3])).toBe(false);
  expect(explained([read(undefined), 0, 1], [unmap, 2, 3])).toBe(false);
});

test("beside munmap, an access may see old or new until it returns, and even old after another saw new", () => {
  expect(explained([unmap, 0, 9], [read(undefined), 1, 2], [read(0), 3, 4])).toBe(true);
  expect(explained([unmap, 0, 9], [read(undefined), 1, 2], [write(7), 3, 4], [read(7), 5, 6])).toBe(true);
  expect(explained([unmap, 0, 3], [read(undefined), 1, 2], [read(0), 4, 5])).toBe(false);
});

test("what was written to the old page never shows in the new one", () => {
  expect(explained([write(7), 0, 1], [unmap, 2, 3], [map, 4, 5], [read(0), 6, 7])).toBe(true);
  expect(explained([write(7), 0, 1], [unmap, 2, 3], [map, 4, 5], [read(7), 6, 7])).toBe(false);
  expect(explained([unmap, 0, 3], [write(7), 1, 2], [map, 4, 5], [read(7), 6, 7])).toBe(false);
});

test("MADV_DONTNEED loses what came before it and nothing that came after", () => {
  expect(explained([write(7), 0, 1], [zero, 2, 3], [read(0), 4, 5])).toBe(true);
  expect(explained([write(7), 0, 1], [zero, 2, 3], [read(7), 4, 5])).toBe(false);
  expect(explained([zero, 0, 1], [write(7), 2, 3], [read(0), 4, 5])).toBe(false);
  expect(explained([zero, 0, 3], [write(7), 1, 2], [read(0), 4, 5])).toBe(true);
});

test("a right taken away is gone when mprotect returned; the contents stay", () => {
  expect(explained([write(7), 0, 1], [readOnly, 2, 3], [read(7), 4, 5])).toBe(true);
  expect(explained([readOnly, 0, 1], [write(7), 2, 3])).toBe(false);
  expect(explained([readOnly, 0, 5], [write(6, false), 1, 2], [write(7), 3, 4], [read(7), 6, 7])).toBe(true);
});
