/**
 * What may be written where. Colour and cursor movement only on a terminal, and never under NO_COLOR or TERM=dumb;
 * whatever is piped or logged is plain lines.
 */
import picocolors from "picocolors";

interface Output {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether colour and cursor movement may be sent there. */
export function mayDraw(output: Output, env: Environment = process.env): boolean {
  return output.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}

/** The colours for an output: functions that return their text unchanged where colour is unwanted. */
export function coloursFor(output: Output, env: Environment = process.env): ReturnType<typeof picocolors.createColors> {
  return picocolors.createColors(mayDraw(output, env));
}

export function widthOf(output: Output): number {
  return output.columns ?? 140;
}

/** Progress of something long: one line that is rewritten on a terminal, else a line now and then. */
export class Progress {
  private shown = "";
  private lastPlainMs = 0;
  private readonly draws: boolean;
  private readonly startedMs = Date.now();

  constructor(
    private readonly output: Output = process.stderr,
    private readonly everyMs = 5000,
  ) {
    this.draws = mayDraw(output);
  }

  update(text: string): void {
    if (this.draws) {
      this.shown = text.slice(0, widthOf(this.output) - 1);
      this.output.write(`\r\x1b[K${this.shown}`);
      return;
    }
    const now = Date.now();
    if (now - Math.max(this.lastPlainMs, this.startedMs) < this.everyMs) return;
    this.lastPlainMs = now;
    this.output.write(`${text}\n`);
  }

  /** Removes the line from a terminal. */
  done(): void {
    if (this.draws && this.shown) this.output.write("\r\x1b[K");
    this.shown = "";
  }
}
