import type { Linked } from "./build-core.mjs";

export interface RawCore {
  binary: Uint8Array;
  map: string;
  /** The defined functions, in the order of the binary. */
  names: readonly string[];
}

export function placeSites(sites: Linked["sites"], raw: RawCore): void;
