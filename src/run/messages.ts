/**
 * run/messages.ts: what the main thread and the workers tell each other.
 *
 *   main ──WorkerInit, once──► worker        everything later goes through shared memory: a waiting worker has no event loop
 *   main ◄──WorkerMessage───── worker
 */
import type { ElfImage } from "./elf.js";

/** The program to start, with its strings: bytes without a NUL. */
export interface ExecPlan {
  readonly image: ElfImage;
  /** Object id of the program file. */
  readonly object: number;
  readonly argv: readonly Uint8Array[];
  readonly env: readonly Uint8Array[];
  /** AT_EXECFN. */
  readonly path: Uint8Array;
  /** The last name of its path: PR_GET_NAME. */
  readonly name: string;
}

/** What every thread knows of its machine, whatever process it belongs to. */
export interface MachineInfo {
  /** Id of the process that the machine was started for: it ends with it. */
  readonly firstPid: number;
  readonly uid: number;
  readonly gid: number;
  /** CPUs the guest is told of. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** The platform's clock when the machine started: guest clocks count from here. */
  readonly originNs: number;
  /** Nanoseconds since 1970 at originNs. */
  readonly epochNs: number;
  /** Memory calls are recorded. */
  readonly traced: boolean;
}

/** The same, for a thread of one process. */
export interface ProcessInfo extends MachineInfo {
  readonly pid: number;
}

export interface WorkerInit {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** CPU index. */
  readonly index: number;
  readonly info: MachineInfo;
  /** One float64: the answer to the last request. */
  readonly reply: SharedArrayBuffer;
  /** A u32 for each system call number below UNKNOWN_SLOTS: how often it was asked for in vain. */
  readonly unknown: SharedArrayBuffer;
  /** Set for the worker that runs the first thread. */
  readonly exec?: ExecPlan;
}

export const UNKNOWN_SLOTS = 512;

export type WorkerMessage =
  /** The worker waits for a thread to run. */
  | { readonly kind: "idle" }
  /** A process was waited for: nothing is left of it. */
  | { readonly kind: "reaped" }
  | {
      readonly kind: "call";
      readonly pid: number;
      readonly tid: number;
      readonly nr: number;
      readonly args: readonly bigint[];
      readonly flags: number;
    }
  /** The request under way is to end early. */
  | { readonly kind: "cancel" }
  | { readonly kind: "release"; readonly object: number }
  /** A timer was armed. */
  | { readonly kind: "timer" }
  /** A clone took a worker, or wants one. */
  | { readonly kind: "spare" }
  /** The first process ended, and all others: its exit status (128 + n for a fatal signal). */
  | { readonly kind: "exit"; readonly status: number }
  /** Why a process had to be killed, for stderr. */
  | { readonly kind: "killed"; readonly pid: number; readonly line: string }
  /** The program could not be started. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Faultline's own failure. */
  | { readonly kind: "failed"; readonly reason: string };

/** The clock and mailbox a worker is given by its platform. */
export interface WorkerHost {
  post(message: WorkerMessage): void;
  /** Nanoseconds from a moment that is the same in every worker and on the main thread. */
  clockNs(): number;
}
