/**
 * A part of an exhaustive search that one worker does on its own, and what comes of it: plain data, for it crosses threads.
 *
 *   way     lanes 0 … n: down to place n, and from there with one lane    all executions that begin so are the task
 *   places  up to n belong to whoever handed them over (coordinator.ts), those below to the task (subtree.ts)
 */
export interface Task {
  readonly id: number;
  /** Empty: every execution. */
  readonly way: Uint8Array;
  /** Lanes that sleep at place n: what begins with them is known, or another's; and which of their events change something. */
  readonly asleep: number;
  readonly asleepWrote: number;
  /** At each place of the way: lanes noted, done or asleep. A race that asks for one of them there asks for nothing new. */
  readonly covered: Uint8Array;
}

/** A race seen in a task asks for an execution that leaves the way: at `place` with one of `lanes`, best with `own`. */
export interface Wish {
  readonly place: number;
  readonly lanes: number;
  readonly own: number;
}

export interface Outcome {
  /** At place n: who was tried, and which of them changed something. An actor's interrupt may stand in its place. */
  readonly done: number;
  readonly doneWrote: number;
  readonly wishes: readonly Wish[];
  /** What was not finished, if anything. */
  readonly frozen?: Frozen | undefined;
}

/** A search that was left: the way to where it was, and what it knew of its places, from `first` on. */
export interface Frozen {
  readonly way: Uint8Array;
  readonly first: number;
  readonly backtrack: Uint8Array;
  readonly done: Uint8Array;
  readonly asleep: Uint8Array;
  readonly doneWrote: Uint8Array;
  readonly asleepWrote: Uint8Array;
}
