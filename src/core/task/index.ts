/** What TypeScript uses of the task layer. */
export { beginExec, finishExec, threadsLeft } from "./exec";
export { beginExit, endProcess, endThread, exitStatus, killOthers, processNs, threadNs } from "./exit";
export { futexRequeue, futexWait, futexWake, futexWakeOp } from "./futex";
export { getGroup, getSession, newSession, setGroup } from "./group";
export { taskInit } from "./init";
export { forgetVfork, ownPid, parentPid, processCount, processWord, vforkDone, vforkWaits } from "./process";
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
  signalTo,
  signalWaits,
} from "./signal";
export { processSpace, turnToSpace } from "./space";
export {
  addRetired,
  awaitThread,
  claimWorker,
  firstThread,
  idleWorkersRacy,
  joinPool,
  liveThreads,
  ownLong,
  retiredBefore,
  setOwnLong,
  sleepBegins,
  sleepEnds,
  startThread,
  threadTid,
  threadWord,
  unclaimWorker,
} from "./thread";
export { nextTimer, timerClock, timerCreate, timerDelete, timerGet, timerOverrun, timerSet, timersDue } from "./timer";
export { waitChild } from "./wait";
export { swapUser } from "./word";
