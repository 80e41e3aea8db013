/**
 * calls/table.ts: every call the worker serves by itself, by its riscv64 number. File calls are in files/calls.ts; what
 * is in neither is ENOSYS and counted by name.
 */
import { Errno } from "../../core/abi/errno.js";
import type { Call } from "./args.js";
import { clockGetres, clockGettime, clockNanosleep, gettimeofday, nanosleep, times } from "./clock.js";
import { clone, clone3 } from "./clone.js";
import { execve, execveat } from "./execve.js";
import { futex } from "./futex.js";
import { getrlimit, getrusage, prlimit64, setrlimit } from "./limits.js";
import {
  brk,
  madvise,
  membarrier,
  mincore,
  mlock,
  mlock2,
  mlockall,
  mmap,
  mprotect,
  mremap,
  msync,
  munlock,
  munlockall,
  munmap,
  pkeyAlloc,
  pkeyFree,
  pkeyMprotect,
  remapFilePages,
} from "./memory.js";
import { pidfdSendSignal, processMrelease } from "./pidfd.js";
import { ppoll, pselect6 } from "./poll.js";
import { getpgid, getppid, getsid, setpgid, setsid, wait4, waitid } from "./processes.js";
import { processMadvise, processVmReadv, processVmWritev } from "./processMemory.js";
import { shmat, shmdt } from "./shm.js";
import {
  kill,
  rtSigaction,
  rtSigpending,
  rtSigprocmask,
  rtSigqueueinfo,
  rtSigreturn,
  rtSigsuspend,
  rtSigtimedwait,
  rtTgsigqueueinfo,
  sigaltstack,
  tgkill,
  tkill,
} from "./signals.js";
import {
  flushIcache,
  getcpu,
  getgid,
  getgroups,
  getpid,
  getrandom,
  gettid,
  getuid,
  prctl,
  schedGetaffinity,
  schedSetaffinity,
  schedYield,
  sysinfo,
  uname,
} from "./system.js";
import { exit, exitGroup, getRobustList, setRobustList, setTidAddress } from "./threads.js";
import {
  getitimer,
  setitimer,
  timerCreate,
  timerDelete,
  timerGetoverrun,
  timerGettime,
  timerSettime,
} from "./timers.js";

/** Known, and answered as a kernel without them does: C libraries ask and do without. */
const absent: Call = () => -Errno.ENOSYS;

const SERVED: ReadonlyArray<readonly [number, Call]> = [
  [72, pselect6],
  [73, ppoll],
  [93, exit],
  [94, exitGroup],
  [95, waitid],
  [96, setTidAddress],
  [98, futex],
  [99, setRobustList],
  [100, getRobustList],
  [101, nanosleep],
  [102, getitimer],
  [103, setitimer],
  [107, timerCreate],
  [108, timerGettime],
  [109, timerGetoverrun],
  [110, timerSettime],
  [111, timerDelete],
  [113, clockGettime],
  [114, clockGetres],
  [115, clockNanosleep],
  [122, schedSetaffinity],
  [123, schedGetaffinity],
  [124, schedYield],
  [129, kill],
  [130, tkill],
  [131, tgkill],
  [132, sigaltstack],
  [133, rtSigsuspend],
  [134, rtSigaction],
  [135, rtSigprocmask],
  [136, rtSigpending],
  [137, rtSigtimedwait],
  [138, rtSigqueueinfo],
  [139, rtSigreturn],
  [153, times],
  [154, setpgid],
  [155, getpgid],
  [156, getsid],
  [157, setsid],
  [158, getgroups],
  [160, uname],
  [163, getrlimit],
  [164, setrlimit],
  [165, getrusage],
  [167, prctl],
  [168, getcpu],
  [169, gettimeofday],
  [172, getpid],
  [173, getppid],
  [174, getuid],
  [175, getuid],
  [176, getgid],
  [177, getgid],
  [178, gettid],
  [179, sysinfo],
  [196, shmat],
  [197, shmdt],
  [214, brk],
  [215, munmap],
  [216, mremap],
  [220, clone],
  [221, execve],
  [222, mmap],
  [226, mprotect],
  [227, msync],
  [228, mlock],
  [229, munlock],
  [230, mlockall],
  [231, munlockall],
  [232, mincore],
  [233, madvise],
  [240, rtTgsigqueueinfo],
  [258, absent], // riscv_hwprobe
  [259, flushIcache],
  [260, wait4],
  [261, prlimit64],
  [234, remapFilePages],
  [270, processVmReadv],
  [271, processVmWritev],
  [278, getrandom],
  [281, execveat],
  [283, membarrier],
  [284, mlock2],
  [288, pkeyMprotect],
  [289, pkeyAlloc],
  [290, pkeyFree],
  [293, absent], // rseq
  [424, pidfdSendSignal],
  [435, clone3],
  [440, processMadvise],
  [448, processMrelease],
];

/** By number, with holes. */
export const CALLS: readonly (Call | undefined)[] = SERVED.reduce<(Call | undefined)[]>((table, [nr, call]) => {
  table[nr] = call;
  return table;
}, []);
