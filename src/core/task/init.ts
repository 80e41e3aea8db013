/** The task region at boot; the memory is zero before. Once, by the machine, after the core's boot. */
import { initQueue } from "./queue";
import { initThreads } from "./thread";

export function taskInit(firstTid: u32, maxLive: u32): void {
  initQueue();
  initThreads(firstTid, maxLive);
}
