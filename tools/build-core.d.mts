export interface Linked {
  core: Uint8Array<ArrayBuffer>;
  hooked: Uint8Array<ArrayBuffer>;
  sites: { function: string; kind: string; instruction: string; file?: string; line?: number }[];
}

/** The same, not optimised, its calls announced: to tell a failing execution with its callers. */
export interface LinkedTold {
  told: Uint8Array<ArrayBuffer>;
  sites: Linked["sites"];
  calls: { function: string; target: string; file: string; line: number }[];
}

export class CompileError extends Error {}
export function compile(
  entry: string,
  options?: { flags?: string[] },
): Promise<{ binary: Uint8Array; map: string; messages: string }>;
export function link(raw: Uint8Array, map?: string): Linked;
