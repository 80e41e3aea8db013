/** What TypeScript uses of the task layer. */
export { futexRequeue, futexWait, futexWake, futexWakeOp } from "./futex";
export { taskInit } from "./init";
export {
  changeAction,
  claimSignal,
  forceSignal,
  getMask,
  pendingSet,
  setAwaited,
  setMask,
  signalFromHost,
  signalProcess,
  signalThread,
  signalWaits,
} from "./signal";
export {
  awaitThread,
  beginExit,
  claimWorker,
  endThread,
  exiting,
  firstThread,
  getClearTid,
  idleWorkersRacy,
  joinPool,
  liveThreads,
  retiredBefore,
  setClearTid,
  startThread,
  threadTid,
  threadWord,
  unclaimWorker,
} from "./thread";
export { nextTimer, timerClock, timerCreate, timerDelete, timerGet, timerOverrun, timerSet, timersDue } from "./timer";
export { swapUser } from "./word";
