/**
 * cli/claims/store.ts: answers of earlier runs: build/claims.json.
 *
 *   key       SHA-256 of: hooked.wasm · the bundles that answer (check, predict, claims) · the ask, the machine's data with it
 * Promise   a kept answer is one to the same question by the same build. What was measured on the clock (run) is not kept. The
 *           file appears whole (written aside, then renamed); answers of another build are dropped at the next write.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const VERSION = 1;

interface Kept {
  readonly version: number;
  readonly of: string;
  readonly answers: Record<string, unknown>;
}

export class AnswerStore {
  readonly #file: string;
  readonly #of: string;
  readonly #known: Readonly<Record<string, unknown>>;
  readonly #new: Record<string, unknown> = {};

  /** `fresh`: nothing is known. */
  constructor(folder: string, of: readonly Uint8Array[], fresh: boolean) {
    this.#file = join(folder, "claims.json");
    const hash = createHash("sha256");
    for (const bytes of of) hash.update(createHash("sha256").update(bytes).digest());
    this.#of = hash.digest("hex");
    this.#known = fresh ? {} : this.#read();
  }

  find<T>(question: unknown): T | undefined {
    return this.#known[digest(question)] as T | undefined;
  }

  note(question: unknown, answer: unknown): void {
    this.#new[digest(question)] = answer;
  }

  write(): void {
    if (Object.keys(this.#new).length === 0) return;
    const kept: Kept = { version: VERSION, of: this.#of, answers: { ...this.#read(), ...this.#new } };
    const aside = `${this.#file}.${process.pid}`;
    try {
      mkdirSync(join(this.#file, ".."), { recursive: true });
      writeFileSync(aside, `${JSON.stringify(kept)}\n`);
      renameSync(aside, this.#file);
    } catch (error) {
      rmSync(aside, { force: true });
      process.stderr.write(`claims: answers are not kept: ${(error as Error).message}\n`);
    }
  }

  #read(): Record<string, unknown> {
    try {
      const { version, of, answers } = JSON.parse(readFileSync(this.#file, "utf8")) as Kept;
      return version === VERSION && of === this.#of ? answers : {};
    } catch {
      return {};
    }
  }
}

function digest(question: unknown): string {
  return createHash("sha256").update(JSON.stringify(question)).digest("hex");
}
