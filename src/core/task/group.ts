/**
 * Process groups and sessions: ids in the records, no records of their own. A group is there while a process has its id.
 *
 * Locks    taskLock.
 * Linux: compare kernel/sys.c:setpgid, getpgid, getsid, ksys_setsid.
 */
import { Errno } from "../abi/errno";
import { lock, unlock } from "../sync/spinlock";
import { findProcessLocked, hasExeced, ownProcess } from "./process";
import {
  PR_GROUP,
  PR_PARENT,
  PR_PID,
  PR_SESSION,
  PR_STATE,
  PROCESS_FREE,
  PROCESSES_SEEN,
  processRecord,
  TASK_LOCK,
} from "./region";

/** setpgid(2): 0, -EINVAL, -ESRCH, -EPERM or -EACCES. */
export function setGroup(cpu: usize, pid: i32, group: i32): i32 {
  if (group < 0) return -Errno.EINVAL;
  lock(cpu, TASK_LOCK);
  const result = setGroupLocked(ownProcess(cpu), <u32>pid, <u32>group);
  unlock(TASK_LOCK);
  return result;
}

function setGroupLocked(own: usize, pid: u32, group: u32): i32 {
  const p = pid == 0 ? own : findProcessLocked(pid);
  if (p == 0) return -Errno.ESRCH;
  if (pid != 0 && load<u32>(p, PR_PID) != pid) return -Errno.EINVAL;
  const session = load<u32>(own, PR_SESSION);
  if (<usize>load<u32>(p, PR_PARENT) == own) {
    if (load<u32>(p, PR_SESSION) != session) return -Errno.EPERM;
    if (hasExeced(p)) return -Errno.EACCES;
  } else if (p != own) return -Errno.ESRCH;
  if (load<u32>(p, PR_SESSION) == load<u32>(p, PR_PID)) return -Errno.EPERM;
  const wanted = group == 0 ? load<u32>(p, PR_PID) : group;
  if (wanted != load<u32>(p, PR_PID) && !groupInLocked(wanted, session)) return -Errno.EPERM;
  store<u32>(p, wanted, PR_GROUP);
  return 0;
}

function groupInLocked(group: u32, session: u32): bool {
  const n = load<u32>(PROCESSES_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const p = processRecord(i);
    if (atomic.load<u32>(p, PR_STATE) == PROCESS_FREE || load<u32>(p, PR_GROUP) != group) continue;
    if (load<u32>(p, PR_SESSION) == session) return true;
  }
  return false;
}

/** getpgid(2); 0 asks of the caller. */
export function getGroup(cpu: usize, pid: i32): i32 {
  return idOf(cpu, pid, PR_GROUP);
}

/** getsid(2). */
export function getSession(cpu: usize, pid: i32): i32 {
  return idOf(cpu, pid, PR_SESSION);
}

function idOf(cpu: usize, pid: i32, field: usize): i32 {
  lock(cpu, TASK_LOCK);
  const p = pid == 0 ? ownProcess(cpu) : findProcessLocked(<u32>pid);
  const id = p == 0 ? -Errno.ESRCH : load<i32>(p + field);
  unlock(TASK_LOCK);
  return id;
}

/** setsid(2): the new session's id, or -EPERM when a group has the caller's id. */
export function newSession(cpu: usize): i32 {
  lock(cpu, TASK_LOCK);
  const own = ownProcess(cpu);
  const pid = load<u32>(own, PR_PID);
  let result = <i32>pid;
  const n = load<u32>(PROCESSES_SEEN);
  for (let i: u32 = 0; i < n; i++) {
    const p = processRecord(i);
    if (atomic.load<u32>(p, PR_STATE) != PROCESS_FREE && load<u32>(p, PR_GROUP) == pid) result = -Errno.EPERM;
  }
  if (result > 0) {
    store<u32>(own, pid, PR_SESSION);
    store<u32>(own, pid, PR_GROUP);
  }
  unlock(TASK_LOCK);
  return result;
}
