/**
 * What `run --trace` wrote, read back (docs/trace.md): faults, memory calls and threads, checked one by one.
 *
 * Promise   what is wrong with the file is one line: the place, and what is allowed there.
 */
import { Access } from "../../core/abi/exit.js";
import { amount, ModelError, object, oneOf, parse, text } from "../json.js";

interface Moment {
  readonly cpu: number;
  /** Nanoseconds since the machine started. */
  readonly begin: number;
  readonly end: number;
}

export interface FaultEvent extends Moment {
  readonly what: "fault";
  readonly address: number;
  readonly access: Access;
  readonly outcome: (typeof OUTCOMES)[number];
  readonly served: (typeof SERVED)[number];
}

export interface CallEvent extends Moment {
  readonly what: "call";
  readonly name: CallName;
  readonly address: number;
  readonly length: number;
  readonly result: number;
  readonly prot: number;
  readonly flags: number;
  readonly advice: number;
  /** The file's number; 0 for none. */
  readonly object: number;
  readonly offset: number;
  readonly newLength: number;
}

export interface ThreadEvent extends Moment {
  readonly what: "thread";
  readonly pid: number;
  readonly tid: number;
  /** A program was just put into fresh memory. */
  readonly loaded: boolean;
}

export type RecordedEvent = FaultEvent | CallEvent | ThreadEvent;

export interface Recording {
  readonly program: string;
  /** In the order in which they began; what contains comes first. */
  readonly events: readonly RecordedEvent[];
  /** Older records that the ring had no room for, all CPUs together. */
  readonly lost: number;
}

const OUTCOMES = ["done", "refused", "page wanted", "no frame"] as const;
const SERVED = ["anon", "file", "cow", "spurious", "none"] as const;
const ACCESSES: Readonly<Record<string, Access>> = {
  "fault read": Access.Read,
  "fault write": Access.Write,
  "fault exec": Access.Exec,
};
/** What each call is asked beside address and length. */
const CALLS = {
  brk: [],
  munmap: [],
  mremap: ["new_length", "flags"],
  mmap: ["prot", "flags", "object", "offset"],
  mprotect: ["prot"],
  msync: [],
  mlock: [],
  mlock2: ["flags"],
  munlock: [],
  mlockall: [],
  munlockall: [],
  mincore: [],
  madvise: ["advice"],
  clone: [],
  clone3: [],
} as const;
export type CallName = keyof typeof CALLS;

export function parseRecording(json: string, place: string): Recording {
  const file = object(parse(json, place), place);
  const about = file.otherData as Record<string, unknown> | undefined;
  if (!Array.isArray(file.traceEvents) || typeof about?.program !== "string" || typeof about.fault !== "string") {
    throw new ModelError(
      `${place}: no trace of \`faultline run --trace\`: otherData.program, .fault and traceEvents are wanted`,
    );
  }
  const events: RecordedEvent[] = [];
  let lost = 0;
  file.traceEvents.forEach((given: unknown, i) => {
    const at = `${place}: traceEvents[${i}]`;
    const event = object(given, at);
    if (event.ph === "M" && event.name === "thread_name")
      lost += amount(object(event.args, `${at}.args`).lost ?? 0, `${at}.args.lost`);
    const read = READERS[String(event.cat)];
    if (read && (event.ph === "X" || event.ph === "i")) events.push(read(event, momentOf(event, at), at));
  });
  if (events.length === 0) throw new ModelError(`${place}: traceEvents: neither a fault nor a call is there`);
  events.sort((a, b) => a.begin - b.begin || b.end - a.end);
  return { program: about.program, events, lost };
}

type Json = Readonly<Record<string, unknown>>;

/** Events by `cat`; others are for who looks at the trace. */
const READERS: Readonly<Record<string, (event: Json, moment: Moment, at: string) => RecordedEvent>> = {
  fault(event, moment, at) {
    const args = object(event.args, `${at}.args`);
    const name = oneOf(event.name as string, Object.keys(ACCESSES), `${at}.name`);
    return {
      ...moment,
      what: "fault",
      access: ACCESSES[name],
      address: numberOf(args.address, `${at}.args.address`),
      outcome: oneOf(args.outcome as string, OUTCOMES, `${at}.args.outcome`),
      served: oneOf(args.served as string, SERVED, `${at}.args.served`),
    };
  },
  call(event, moment, at) {
    const args = object(event.args, `${at}.args`);
    const name = oneOf(event.name as CallName, Object.keys(CALLS) as CallName[], `${at}.name`);
    const wanted: readonly string[] = CALLS[name];
    const of = (key: string) => (wanted.includes(key) ? numberOf(args[key], `${at}.args.${key}`) : 0);
    return {
      ...moment,
      what: "call",
      name,
      address: numberOf(args.address, `${at}.args.address`),
      length: numberOf(args.length, `${at}.args.length`),
      result: numberOf(args.result, `${at}.args.result`),
      prot: of("prot"),
      flags: of("flags"),
      advice: of("advice"),
      object: of("object"),
      offset: of("offset"),
      newLength: of("new_length"),
    };
  },
  thread(event, moment, at) {
    const args = object(event.args, `${at}.args`);
    const [pid, tid, loaded] = ["pid", "tid", "loaded"].map((key) => amount(args[key], `${at}.args.${key}`));
    return { ...moment, what: "thread", pid, tid, loaded: loaded === 1 };
  },
};

function momentOf(event: Json, at: string): Moment {
  const begin = Math.round(amount(event.ts, `${at}.ts`) * 1000);
  const ns = Math.round(amount(event.dur ?? 0, `${at}.dur`) * 1000);
  return { cpu: amount(event.tid, `${at}.tid`), begin, end: begin + ns };
}

/** A number, or a text as the trace has for large ones: "0x1f000", "-12". */
function numberOf(given: unknown, place: string): number {
  if (typeof given === "number") return amount(given, place);
  const number = /^(0x[0-9a-f]+|-?\d+)$/.test(text(given, place)) ? Number(given) : Number.NaN;
  if (Number.isNaN(number)) throw new ModelError(`${place}: ${JSON.stringify(given)}; allowed: a number, or "0x…"`);
  return number;
}
