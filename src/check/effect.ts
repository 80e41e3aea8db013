/**
 * What an event did, once it has taken effect: did memory change, and what does its lane now know?
 *
 * A failed compare-and-swap changes nothing, and neither does a store of what was there. What a lane loads it watches: a change of
 * it ends the lane's next pause (lane.ts).
 */
import { Step } from "../core/abi/step.js";
import { Mark, mayWrite } from "./event.js";
import type { Lane } from "./lane.js";

/** Whether memory, or the lane's mask, is not what it was. */
export function effectOf(lane: Lane, words: Uint32Array): boolean {
  const { kind, address, width } = lane.event;
  if (kind >= Mark.Begin) return lane.transition;
  const at = address >>> 2;
  switch (kind) {
    case Step.AtomicLoad:
      if (address === lane.pendingAddress) return false;
      lane.watch(address & ~3, words[at]);
      if (width === 8) lane.watch(address + 4, words[at + 1]);
      return false;
    case Step.AtomicCmpxchg:
      if (words[at] === lane.before && (width < 8 || words[at + 1] === lane.beforeHigh)) {
        lane.watch(address & ~3, words[at]);
        return false;
      }
      lane.forget(address, width);
      return true;
    case Step.Store:
    case Step.AtomicStore:
    case Step.AtomicRmw:
      lane.forget(address, width);
      return words[at] !== lane.before || (width === 8 && words[at + 1] !== lane.beforeHigh);
    default:
      return mayWrite(kind);
  }
}
