/**
 * Where the scenarios map, so that a glance at an address says which table it is in.
 *
 *   4000_0000   A B C … N      pages of one leaf table. N stands apart from A: while it is mapped, the table stays
 *   4020_0000   FAR …          the next leaf table: unmapping all of it retires the table
 *   4040_0000   NEXT …         a third, which shares FAR's block where a block holds two
 *   5000_0000   HEAP …         where brk begins
 *   7000_0000   … STACK        the lowest page of a stack that grows down
 *
 * In the strips above the scenarios a letter is a page, small where it is mapped and has no frame; a dot is a hole; a bar
 * is the edge of a leaf table.
 */
import { PAGE } from "../operations.js";

export const A = 0x4000_0000;
export const B = A + PAGE;
export const C = B + PAGE;
export const N = A + 16 * PAGE;
export const FAR = A + 0x20_0000;
export const NEXT = FAR + 0x20_0000;
export const HEAP = 0x5000_0000;
export const STACK = 0x7000_0000;
export const R = 1;
export const RW = 3;
