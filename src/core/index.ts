/**
 * The exports of the core: all that TypeScript may use. Metadata is never touched otherwise.
 * Addresses of CPU areas and of physical memory are u32, guest addresses and registers u64.
 */

export * from "./hart/index";
export { boot } from "./machine";
export { copyBetween } from "./mm/between";
export { cpuOffline, cpuOnline } from "./mm/boot";
export { setBrk, sysBrk } from "./mm/brk";
export { kernelExit, settle } from "./mm/call";
export { fault } from "./mm/fault";
export { fill, fillEvery, fillRange } from "./mm/fill";
export { forkSpace } from "./mm/fork";
export { isFreeFrame } from "./mm/frame";
export { hostOpen, hostPunch, hostRead, hostResize, hostWrite, settleHost } from "./mm/hostCache";
export { nextVma, setStackStart, spaceUsage } from "./mm/inspect";
export {
  assignSpace,
  firstSpace,
  holdSpace,
  joinSpace,
  leaveSpace,
  newSpace,
  putSpace,
  switchSpace,
  tryHoldSpace,
} from "./mm/lifecycle";
export { changeLimit, setLimit } from "./mm/limits";
export { hintSpace, removeNext, sysMadvise } from "./mm/madvise";
export { sysMembarrier } from "./mm/membarrier";
export { sysMincore } from "./mm/mincore";
export { sysMlock, sysMlockAll, sysMunlock, sysMunlockAll } from "./mm/mlock";
export { sysMmap } from "./mm/mmap";
export { sysMprotect } from "./mm/mprotect";
export { sysMremap } from "./mm/mremap";
export { msyncNext } from "./mm/msync";
export { sysMunmap } from "./mm/munmap";
export { nameVma } from "./mm/nameVma";
export { closeObject, forgetObject, hasObject, objectRefs, takeReleasedObject, writableMappings } from "./mm/object";
export { ioAddress, ioObject, ioOffset, pageInBegin, pageInEnd } from "./mm/pageIn";
export { counter } from "./mm/percpu";
export { populateRange } from "./mm/populate";
export { sysRemapFilePages } from "./mm/remapFilePages";
export { remoteRead, remoteWrite } from "./mm/remote";
export { spaceOf } from "./mm/space";
export { stat } from "./mm/stat";
export { traceCall, traceCount, traceNow, traceOn, traceThread } from "./mm/trace";
export { punchObject, trimObjects, trimsPending } from "./mm/truncate";
export { copyFromUser, copyToUser, guestRead, guestWrite, resident } from "./mm/uaccess";
export { verifySpace } from "./mm/verify";
export { hostCopy, hostLock, hostUnlock, watched } from "./mm/watched";
export { writebackBegin, writebackEnd } from "./mm/writeback";
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
