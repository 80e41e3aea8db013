/**
 * The exports of the core: all that TypeScript may use. Metadata is never touched otherwise.
 * Addresses of CPU areas and of physical memory are u32, guest addresses and registers u64.
 */

export * from "./hart/index";
export { boot } from "./machine";
export { cpuOffline, cpuOnline } from "./mm/boot";
export { setBrk, sysBrk } from "./mm/brk";
export { kernelExit, settle } from "./mm/call";
export { fault } from "./mm/fault";
export { commitFilePage, ioAddress, ioObject, ioOffset } from "./mm/filePage";
export { fill, fillRange } from "./mm/fill";
export { isFreeFrame } from "./mm/frame";
export {
  assignSpace,
  firstSpace,
  holdSpace,
  joinSpace,
  leaveSpace,
  newSpace,
  putSpace,
  switchSpace,
} from "./mm/lifecycle";
export { getLimit, setLimit } from "./mm/limits";
export { sysMadvise } from "./mm/madvise";
export { sysMlock, sysMlockAll, sysMunlock, sysMunlockAll } from "./mm/mlock";
export { sysMmap } from "./mm/mmap";
export { sysMprotect } from "./mm/mprotect";
export { sysMremap } from "./mm/mremap";
export { sysMunmap } from "./mm/munmap";
export { takeReleasedObject } from "./mm/object";
export { counter } from "./mm/percpu";
export { populateRange } from "./mm/populate";
export { remoteRead, remoteWrite } from "./mm/remote";
export { spaceOf } from "./mm/space";
export { stat } from "./mm/stat";
export { copyFromUser, copyToUser, guestRead, guestWrite, resident } from "./mm/uaccess";
export { verifySpace } from "./mm/verify";
export { watched } from "./mm/watched";
export {
  bounce,
  cpuArea,
  cpuId,
  cpuWord,
  epoch,
  idleWord,
  pendingWord,
  post,
  takePending,
  trapCause,
  trapCode,
  trapValue,
} from "./sync/cpu";
export { idleEnter, idleLeave, pauseRun, sleep } from "./sync/idle";
export { answerIpis } from "./sync/ipi";
export { cpuCount, memoryBytes } from "./sync/layout";
export { interruptTouches, takeInterrupt } from "./sync/poll";
export { quiesce } from "./sync/rcu";
export * from "./task/index";
