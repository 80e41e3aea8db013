/**
 * cli/kept.ts: a file of what earlier runs found, so that what did not change is not asked again: JSON in build/.
 *
 *   key       SHA-256 of the question as JSON; all of the file belongs to one `of`, the digest of what every answer depends on
 * Promise   what is found is an answer to the same question of the same build. The file appears whole (written aside, then renamed);
 *           of two runs that end at once one may lose what it would have kept, and nothing else. Answers of another build are
 *           dropped at the next write.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const VERSION = 2;

interface Kept<Answer> {
  readonly version: number;
  readonly of: string;
  readonly answers: Record<string, Answer>;
}

export class KeptAnswers<Answer> {
  readonly #file: string;
  readonly #of: string;
  readonly #known: Readonly<Record<string, Answer>>;
  readonly #new: Record<string, Answer> = {};

  /** `whose`: the command, for what goes wrong. `of`: what every answer depends on. `fresh`: nothing is known. */
  constructor(
    folder: string,
    name: string,
    private readonly whose: string,
    of: readonly Uint8Array[],
    fresh: boolean,
  ) {
    this.#file = join(folder, name);
    const hash = createHash("sha256");
    for (const bytes of of) hash.update(createHash("sha256").update(bytes).digest());
    this.#of = hash.digest("hex");
    this.#known = fresh ? {} : this.#read();
  }

  find(question: unknown): Answer | undefined {
    return this.#known[digest(question)];
  }

  note(question: unknown, answer: Answer): void {
    this.#new[digest(question)] = answer;
  }

  /** Adds what is new to what the file holds now. */
  write(): void {
    if (Object.keys(this.#new).length === 0) return;
    const kept: Kept<Answer> = { version: VERSION, of: this.#of, answers: { ...this.#read(), ...this.#new } };
    const aside = `${this.#file}.${process.pid}`;
    try {
      mkdirSync(join(this.#file, ".."), { recursive: true });
      writeFileSync(aside, `${JSON.stringify(kept)}\n`);
      renameSync(aside, this.#file);
    } catch (error) {
      rmSync(aside, { force: true });
      process.stderr.write(`${this.whose} are not kept: ${(error as Error).message}\n`);
    }
  }

  #read(): Record<string, Answer> {
    try {
      const { version, of, answers } = JSON.parse(readFileSync(this.#file, "utf8")) as Kept<Answer>;
      return version === VERSION && of === this.#of ? answers : {};
    } catch {
      return {};
    }
  }
}

function digest(question: unknown): string {
  return createHash("sha256").update(JSON.stringify(question)).digest("hex");
}
