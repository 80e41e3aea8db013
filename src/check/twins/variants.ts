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
      [
        'import { S_CPUMASK, S_PGD, S_SCRATCH, S_STACK_LIMIT, S_USERS } from "./space";',
        'import { S_CPUMASK, S_PGD, S_SCRATCH, S_SEQ, S_STACK_LIMIT, S_USERS } from "./space";',
      ],
      [
        "store<u64>(S_STACK_LIMIT, STACK_LIMIT);",
        "store<u64>(S_STACK_LIMIT, STACK_LIMIT); atomic.store<u32>(S_SEQ, 0xffff_fffa);",
      ],
    ),
  },
];
