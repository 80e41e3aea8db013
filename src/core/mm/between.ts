/**
 * Bytes between the CPU's own space and another: process_vm_readv(2), process_vm_writev(2).
 *
 * Promise    what was copied is counted page by page: the result is how much, or, when that is nothing, why.
 * Results    bytes copied, from 1; -EFAULT; NEED_IO, NEED_OOM: as mm/uaccess.ts, the caller serves it and goes on.
 * Algorithm  a piece within one page of the other space at a time, through the CPU's bounce buffer: each half is the copy that the
 *            space it touches asks for (remote.ts, uaccess.ts). Nothing is held between the two halves, and IPIs are
 *            answered between pieces.
 * Linux      mm/process_vm_access.c:process_vm_rw_single_vec
 */
import { bounce } from "../sync/cpu";
import { answerIpis } from "../sync/ipi";
import { remoteRead, remoteWrite } from "./remote";
import { copyFromUser, copyToUser } from "./uaccess";

/** Copies `length` bytes between `here` in the own space and `there` in `space`, to which the caller holds a reference. */
export function copyBetween(cpu: usize, space: usize, here: u64, there: u64, length: u64, write: bool): i64 {
  const buffer = bounce(cpu);
  let done: u64 = 0;
  while (done < length) {
    answerIpis(cpu);
    const rest = 4096 - ((there + done) & 4095);
    const n = <u32>(length - done < rest ? length - done : rest);
    let failed = write ? copyFromUser(cpu, buffer, here + done, n) : remoteRead(cpu, space, buffer, there + done, n);
    if (failed == 0) {
      failed = write ? remoteWrite(cpu, space, there + done, buffer, n) : copyToUser(cpu, here + done, buffer, n);
    }
    if (failed != 0) return done != 0 ? <i64>done : failed;
    done += n;
  }
  return <i64>done;
}
