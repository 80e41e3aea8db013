/**
 * Variants: changed builds that are still right, with a constant that leads small scenarios into code they would never
 * reach. Every scenario must hold on them.
 */
import { Layout, Policy } from "../../core/abi/mman.js";
import { inFile, type Patch } from "./twin.js";

/** Blocks so small that a scenario can fill one. */
export const FRAGMENTS_OF_TWO: readonly Patch[] = inFile("mm/block.ts", [
  "const FRAGMENTS: u32 = 16;",
  "const FRAGMENTS: u32 = 2;",
]);

export interface Variant {
  readonly name: string;
  readonly about: string;
  readonly patches: readonly Patch[];
  readonly layout?: Layout;
  /** Those that come into the code in question; mmap-lock and optimistic when not said. */
  readonly policies?: readonly Policy[];
}

export const VARIANTS: readonly Variant[] = [
  {
    name: "mmap-lock-sleeps",
    about: "who waits for mmapLock sleeps at once, where the shipping core first spins twenty rounds",
    patches: inFile("sync/rwlock.ts", ["const SPINS: u32 = 20;", "const SPINS: u32 = 0;"]),
  },
  {
    name: "fragments-of-two",
    about: "blocks of two fragments, which small scenarios fill and empty",
    patches: FRAGMENTS_OF_TWO,
    layout: Layout.Fragments,
  },
  {
    name: "sequence-near-its-wrap",
    about: "the count that spf compares is about to start again at zero",
    policies: [Policy.Spf],
    patches: inFile(
      "mm/boot.ts",
      ['import { SPACE_BYTES } from "./space";', 'import { S_SEQ, SPACE_BYTES } from "./space";'],
      ["initSpace(cpu, SPACE);", "initSpace(cpu, SPACE); atomic.store<u32>(SPACE, 0xffff_fffa, S_SEQ);"],
    ),
  },
];
