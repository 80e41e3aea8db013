/**
 * Peeks: plain loads that race on purpose. Whoever is here reads a number that may be old, acts on nothing else than that
 * number, and says so in its own words. A peek must be a plain load of one aligned word of 4 bytes.
 *
 * By function: the one the load ended up in, after inlining.
 */
export const PEEKS: readonly { function: string; reason: string }[] = [
  {
    function: "mm/run/assembleLocked",
    reason:
      "allListed() reads types of frames in use: only the holder of the lock it holds writes the one it looks for",
  },
  { function: "mm/run/allListed", reason: "the same, where it was not inlined" },
];
