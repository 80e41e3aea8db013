/** Reading a JSON file of the user's: what is wrong with it is one line, the place and what is allowed there. */

export class ModelError extends Error {}

export function parse(json: string, place: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new ModelError(`${place}: ${(error as Error).message}`);
  }
}

export function object(given: unknown, place: string): Record<string, unknown> {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new ModelError(`${place}: an object is wanted`);
  return given as Record<string, unknown>;
}

export function onlyKeys(given: Record<string, unknown>, allowed: readonly string[], place: string): void {
  const unknown = Object.keys(given).find((key) => !allowed.includes(key));
  if (unknown !== undefined) throw new ModelError(`${place}: unknown key "${unknown}"; allowed: ${allowed.join(", ")}`);
}

export function text(given: unknown, place: string): string {
  if (typeof given !== "string" || given === "") throw new ModelError(`${place}: a text is wanted`);
  return given;
}

export function oneOf<T extends string>(given: unknown, allowed: readonly T[], place: string): T {
  if (!allowed.includes(given as T))
    throw new ModelError(`${place}: ${JSON.stringify(given)}; allowed: ${allowed.join(", ")}`);
  return given as T;
}

/** A finite number, 0 or more. */
export function amount(given: unknown, place: string): number {
  if (typeof given !== "number" || !Number.isFinite(given) || given < 0)
    throw new ModelError(`${place}: a number from 0 is wanted`);
  return given;
}
