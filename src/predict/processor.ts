/**
 * A simulated CPU: its clock, its program, what it is stopped at, and where its time went.
 *
 *   lane   the program's calls, or the interrupt's: each has a stack of its own and is stopped at one event at a time
 */
export type Call = () => unknown;

/** A line of the model itself (a zone's lock, a cgroup's counter), or a prefetch of one of the core's. */
export interface LineStep {
  readonly record: number;
  readonly kind: Touch;
  /** For how long it is then held. */
  readonly holdNs: number;
  /** What else its last holder has of what is written while it is held. */
  readonly lines: number;
}

export enum Touch {
  Read = 0,
  Write = 1,
  Atomic = 2,
  /** For writing, without waiting for it. */
  Prefetch = 3,
  /** A queued lock: granted in the order of arrival, and held. */
  Lock = 4,
  /** A read that takes the line for writing: of a lock's word (lockReadOwns), or where its CPU's prefetch is under way. */
  Own = 5,
}

/** Time that is neither the kernel's nor a line's. */
export interface TimeStep {
  readonly ns: number;
  readonly what: Spent.Program | Spent.Asleep;
}

/** What a program does next: a call of the core, so many ns of software of the kernel's or of other time, or an access of the model's. */
export type Step = Call | number | TimeStep | LineStep;
export type Program = Generator<Step, void, number>;

/** Where time goes. */
export enum Spent {
  Useful = 0,
  Zeroing = 1,
  Miss = 2,
  MissLocked = 3,
  LockWait = 4,
  IpiWait = 5,
  Interrupt = 6,
  Asleep = 7,
  /** The program itself, between its faults and calls. */
  Program = 8,
}
export const SPENT_NAMES = [
  "useful",
  "zeroing",
  "miss",
  "missLocked",
  "lockWait",
  "ipiWait",
  "interrupt",
  "asleep",
  "program",
] as const;

export enum Stop {
  /** At an event that is to be done when its turn comes. */
  Event = 0,
  /** In a line's queue. */
  Queued = 1,
  Spinning = 2,
  Asleep = 3,
}

export class Lane {
  call: Call | undefined;
  begun = false;
  /** Stopped at an event that was not done yet. */
  due = false;
  touch = Touch.Read;
  record = 0;
  holdNs = 0;
  lines = 0;
  /** The event is on a lock's word. */
  lockWord = false;
  stop = Stop.Event;
  /** The event's effect is not known yet: it is once the lane does something else. */
  settling = false;
  kind = 0;
  address = 0;
  before = 0;
  isSpinLock = false;
  isVmaLock = false;

  constructor(readonly id: number) {}
}

export class Processor {
  time = 0;
  readonly main: Lane;
  readonly interrupt: Lane;
  lane: Lane;
  program: Program | undefined;
  result = 0;
  done = false;
  irqDepth = 0;
  /** When interrupts went off. */
  irqOffSince = 0;
  /** When a flush interrupt arrives, and when the first that asked for it did so. */
  irqAt = Infinity;
  irqSentAt = 0;
  /** A broadcast flush came while interrupts were off. */
  flushOwed = false;
  /** What the program had left to do when the interrupt came. */
  left = 0;
  spinRecord = 0;
  spinSince = 0;
  spinFor = Spent.LockWait;
  notified = false;
  locksHeld = 0;
  /** A prefetch that waits in a line's queue; one that was granted, and when it arrives. */
  prefetching = 0;
  arriving = 0;
  arrivesAt = 0;
  lastMiss = -2;
  /** The flush round that interrupts were last sent for. */
  round = -1;
  sleepsOn = 0;
  /** A fault's software that is still to be paid for, inside the locks it belongs in: before a table's, or with the page. */
  insideNs = 0;
  slow = 1;
  readonly spent = new Float64Array(SPENT_NAMES.length);

  constructor(
    readonly index: number,
    /** Address of its area. */
    readonly area: number,
    readonly socket: number,
  ) {
    this.main = new Lane(2 * index);
    this.interrupt = new Lane(2 * index + 1);
    this.lane = this.main;
  }

  spend(what: Spent, ns: number): void {
    this.time += ns;
    this.spent[this.lane === this.interrupt ? Spent.Interrupt : what] += ns;
  }

  payInside(): void {
    if (this.insideNs === 0) return;
    this.spend(Spent.Useful, this.insideNs * this.slow);
    this.insideNs = 0;
  }
}
