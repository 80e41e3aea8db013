/** Pages that move, and guards: what must be flushed and given back. */
import { Policy } from "../../core/abi/mman.js";
import { also, inFile, type Twin } from "./twin.js";

const MOVE_UNFLUSHED: Twin = {
  name: "move-unflushed",
  about: "mremap takes a page away from its old place and not from the TLBs",
  patches: inFile("mm/move.ts", [
    "if (closeLocked(old, from, bytes)) shootRange(cpu, from, from + bytes);",
    "closeLocked(old, from, bytes);",
  ]),
  scenario: "fault-mremap",
  policy: Policy.Optimistic,
  caughtBy: ["rest", "results"],
};

export const MOVE_TWINS: readonly Twin[] = [
  MOVE_UNFLUSHED,
  ...also(MOVE_UNFLUSHED, { scenario: "mremap-tables" }),
  {
    name: "guarded-frame-kept",
    about: "a guard takes the place of a page, and the frame is neither flushed nor given back",
    patches: inFile("mm/guard.ts", [
      "else if (!isMarker(old)) gatherPage(cpu, va, isZeroFrame(old) ? 0 : ptePhys(old));",
      "",
    ]),
    scenario: "guard-fault",
    policy: Policy.Optimistic,
    caughtBy: ["rest", "results", "leak"],
  },
];
