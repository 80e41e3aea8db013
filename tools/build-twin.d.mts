import type { Linked } from "./build-core.mjs";

export interface Patch {
  file: string;
  line: string;
  replacement: string;
}

export class StalePatch extends Error {}
export function buildTwin(patches: readonly Patch[]): Promise<Linked>;
