/**
 * Of a recording: what each CPU is to do again, and how long its program ran before each event.
 *
 *   one process   the one with most events. Whose an event is says the last `thread` before it on its CPU; a program that a process
 *                 loads makes it another process, for its memory is fresh
 *   left out      calls that failed, or change no mapping: their time is the program's
 *   no gap        after a page that the host had to read; before a thread that a `clone` started
 */
import { Advice } from "../../core/abi/mman.js";
import type { CallEvent, RecordedEvent, Recording } from "./recording.js";

export interface Item {
  readonly event: RecordedEvent;
  readonly stream: number;
  readonly index: number;
  /** The program ran so long before it. */
  readonly gapNs: number;
  /** Of a thread: the clone that started it. */
  readonly parent: Item | undefined;
}

export interface Streams {
  readonly cpus: readonly (readonly Item[])[];
  readonly recordedNs: number;
  /** Left out: events of other processes; calls that failed; calls that change no mapping. */
  readonly others: number;
  readonly failed: number;
  readonly idle: number;
}

const IDLE_CALLS: ReadonlySet<string> = new Set(["msync", "mincore", "mlockall", "munlockall"]);

const TASK_BYTES = 2 ** 38;

interface Track {
  readonly items: Item[];
  readonly stream: number;
  lastEnd: number;
  /** The host read a page: the time until the next event is its. */
  reading: boolean;
}

export function streamsOf({ events }: Recording): Streams {
  const owners = ownersOf(events);
  const chosen = mostFrequent(owners);
  const own = events.filter((_, i) => owners[i] === chosen);
  const first = own[0].begin;
  const tracks = new Map<number, Track>();
  const started = new Map<number, Item>();
  let failed = 0;
  let idle = 0;
  for (const event of own) {
    const track = trackOf(tracks, event.cpu, first);
    if (event.what === "call" && event.result < 0) failed++;
    else if (event.what === "call" && isIdle(event)) idle++;
    else if (event.what === "fault" && event.outcome.startsWith("page")) {
      track.reading = true;
      track.lastEnd = event.end;
    } else if (event.what !== "fault" || event.outcome !== "no frame") {
      const item = add(track, event, started);
      if (event.what === "call" && event.name.startsWith("clone")) started.set(event.result, item);
    }
  }
  return {
    cpus: [...tracks.values()].map(({ items }) => items),
    recordedNs: own.reduce((latest, { end }) => Math.max(latest, end), first) - first,
    others: events.filter(({ what }, i) => what !== "thread" && owners[i] !== chosen).length,
    failed,
    idle,
  };
}

function add(track: Track, event: RecordedEvent, started: ReadonlyMap<number, Item>): Item {
  const { items, stream, reading, lastEnd } = track;
  const parent = event.what === "thread" && !event.loaded ? started.get(event.tid) : undefined;
  const gapNs = reading || parent ? 0 : Math.max(0, event.begin - lastEnd);
  const item = { event, stream, index: items.length, gapNs, parent };
  items.push(item);
  track.reading = false;
  track.lastEnd = Math.max(lastEnd, event.end);
  return item;
}

function trackOf(tracks: Map<number, Track>, cpu: number, first: number): Track {
  const known = tracks.get(cpu);
  if (known) return known;
  const track = { items: [], stream: tracks.size, lastEnd: first, reading: false };
  tracks.set(cpu, track);
  return track;
}

/** A length that wraps is no range, though mlock takes it. brk and clone have none. */
function isIdle({ name, advice, length }: CallEvent): boolean {
  if (name === "brk" || name.startsWith("clone")) return false;
  return IDLE_CALLS.has(name) || (name === "madvise" && advice === Advice.Remove) || length > TASK_BYTES;
}

/** By event: its process, and how many programs that had loaded. Where the ring lost who ran, it is the only one there is. */
function ownersOf(events: readonly RecordedEvent[]): string[] {
  const loads = new Map<number, number>();
  const running = new Map<number, string>();
  const named = new Set<string>();
  const owners = events.map((event) => {
    if (event.what === "thread") {
      const count = (loads.get(event.pid) ?? 0) + (event.loaded ? 1 : 0);
      loads.set(event.pid, count);
      const owner = `${event.pid}/${count}`;
      running.set(event.cpu, owner);
      named.add(owner);
    }
    return running.get(event.cpu);
  });
  const only = named.size <= 1 ? ([...named][0] ?? UNKNOWN) : UNKNOWN;
  return owners.map((owner) => owner ?? only);
}

const UNKNOWN = "?";

function mostFrequent(owners: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}
