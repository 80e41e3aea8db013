/**
 * Gives part of a VMA other flags, or another name: mprotect, mlock, madvise and prctl are walks over VMAs that call this.
 *
 * Promise    0, and a lookup finds the old VMA or its pieces, never a gap; or -ENOMEM, and nothing has changed.
 * Algorithm  build the pieces; one store of the root makes them the tree's; detach the old. Entries are not touched: who takes
 *            rights away narrows them afterwards (mprotect.ts). Faults that found an old VMA fail their commit.
 * Locks      mmapLock (write)
 * Linux      mm/vma.c:vma_modify, vma_merge_existing_range, __split_vma
 */
import { Errno } from "../abi/errno";
import { adopt, detachVma, discardVma } from "./mapping";
import { MAX_MAP_COUNT, S_MAP_COUNT, spaceOf, treeRoot } from "./space";
import { findEndingAbove, findStartingBelow } from "./tree";
import { treeReplace, treeReserve } from "./treeChange";
import {
  cutVma,
  joinAnon,
  joinsLeft,
  joinsRight,
  newVma,
  V_NAME,
  V_OBJECT,
  V_OFFSET,
  V_RECORD,
  vmaEnd,
  vmaFlags,
  vmaStart,
} from "./vma";
import { vmaStartWrite } from "./vmaLock";

/**
 * Gives [start, end) of `vma` the new flags.
 *
 *   before   [left][......vma......][right]
 *   after    [left][head][mid][tail][right]   mid joins left, or right, where the flags agree and no piece is between
 */
export function replaceLocked(cpu: usize, vma: usize, start: u64, end: u64, flags: u32, name: usize): i32 {
  const hasHead = vmaStart(vma) < start;
  const hasTail = vmaEnd(vma) > end;
  const more: u32 = (hasHead ? 1 : 0) + (hasTail ? 1 : 0);
  if (load<u32>(spaceOf(cpu), S_MAP_COUNT) + more > MAX_MAP_COUNT || !treeReserve(cpu)) return -Errno.ENOMEM;
  const root = treeRoot(cpu);
  const object = load<u32>(vma, V_OBJECT);
  const offset = load<u64>(vma, V_OFFSET) + (start - vmaStart(vma));
  let left: usize = hasHead ? 0 : findStartingBelow(root, start);
  if (left != 0 && (vmaEnd(left) != start || !joinsLeft(left, flags, object, offset, name))) left = 0;
  let right: usize = hasTail ? 0 : findEndingAbove(root, end);
  if (right != 0 && (vmaStart(right) != end || !joinsRight(right, flags, object, offset + (end - start), name)))
    right = 0;
  const from = left != 0 ? vmaStart(left) : start;
  const upTo = right != 0 ? vmaEnd(right) : end;
  const midOffset = left != 0 ? load<u64>(left, V_OFFSET) : offset;
  const mid = newVma(cpu, from, upTo, flags, object, midOffset, <usize>load<u32>(vma, V_RECORD));
  const head: usize = hasHead ? cutVma(cpu, vma, vmaStart(vma), start, vmaFlags(vma)) : 0;
  const tail: usize = hasTail ? cutVma(cpu, vma, end, vmaEnd(vma), vmaFlags(vma)) : 0;
  if (mid == 0 || (hasHead && head == 0) || (hasTail && tail == 0)) {
    discardVma(cpu, mid);
    discardVma(cpu, head);
    discardVma(cpu, tail);
    return -Errno.ENOMEM;
  }
  store<u32>(mid, <u32>name, V_NAME);
  if (left != 0) {
    vmaStartWrite(cpu, left);
    joinAnon(mid, left);
  }
  if (right != 0) {
    vmaStartWrite(cpu, right);
    joinAnon(mid, right);
  }
  vmaStartWrite(cpu, vma);
  joinAnon(mid, vma);
  const first: usize = left != 0 ? left : vma;
  const last: usize = right != 0 ? right : vma;
  adopt(cpu, head);
  adopt(cpu, mid);
  adopt(cpu, tail);
  if (head != 0) treeReplace(cpu, vmaStart(first), vmaStart(last) + 1, head, mid, tail);
  else treeReplace(cpu, vmaStart(first), vmaStart(last) + 1, mid, tail, 0);
  if (left != 0) detachVma(cpu, left);
  if (right != 0) detachVma(cpu, right);
  detachVma(cpu, vma);
  return 0;
}
