/** run/threadRecords.ts: threads as the core's records have them, for whoever asks about another one than itself. */
import { ThreadLong, ThreadWord } from "../core/abi/word.js";
import type { Core } from "./core.js";

const NAME_BYTES = 16;

/** Its name (PR_GET_NAME) up to the first NUL, as a byte string: at most 15 characters. `cpu`: an area. */
export function threadName(core: Core, cpu: number): string {
  const view = new DataView(new ArrayBuffer(NAME_BYTES));
  view.setBigInt64(0, core.ownLong(cpu, ThreadLong.NameLow), true);
  view.setBigInt64(8, core.ownLong(cpu, ThreadLong.NameHigh), true);
  const bytes = new Uint8Array(view.buffer);
  return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
}

/** The index of the CPU that runs a thread, of any process. */
export function cpuOf(core: Core, tid: number): number | undefined {
  const count = core.cpuCount();
  for (let i = 0; i < count; i++) {
    if (core.threadWord(i, ThreadWord.Tid) === tid && core.threadWord(i, ThreadWord.Pid) !== 0) return i;
  }
  return undefined;
}
