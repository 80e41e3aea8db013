import type { Linked, LinkedTold } from "./build-core.mjs";

export interface Patch {
  file: string;
  line: string;
  replacement: string;
}

export class StalePatch extends Error {}
export function buildTwin(patches: readonly Patch[]): Promise<Linked>;
export function buildTold(patches: readonly Patch[]): Promise<LinkedTold>;
export function buildReplaced(files: Map<string, string>, patches?: readonly Patch[]): Promise<Linked>;
export function compileReplaced(files: Map<string, string>): Promise<Buffer>;
