/** cli/options.ts: what several verbs take alike: names and numbers as options, files to write to, the status of Ctrl-C. */
import { closeSync, openSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { Pretouch } from "../core/abi/mman.js";
import { unknownName } from "./nearest.js";

export const WORKERS_MAX = 64;
export const INTERRUPTED = 130;
export const PRETOUCHES: Readonly<Record<string, Pretouch>> = {
  none: Pretouch.None,
  read: Pretouch.Read,
  own: Pretouch.Own,
};

/** The name of a policy, and how the entry is touched before the lock where it is: "spf", "spf+own". */
export function withPretouch(policy: string, pretouch: string): string {
  return pretouch === "none" ? policy : `${policy}+${pretouch}`;
}

/** One name or more, with commas between. */
export function names<T extends string>(kind: string, all: Readonly<Record<T, number>>): (text: string) => T[] {
  return (text) => {
    const given = [...new Set(text.split(","))];
    const wrong = given.find((name) => !(name in all));
    if (wrong !== undefined) throw new InvalidArgumentError(unknownName(kind, wrong, Object.keys(all)));
    return given as T[];
  };
}

export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (!/^\d+$/.test(text) || n < least || n > most) {
      throw new InvalidArgumentError(`${least} to ${most} are possible`);
    }
    return n;
  };
}

/** Why a file can not be written to: known before the work, not after. */
export function unwritable(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    closeSync(openSync(file, "a"));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
