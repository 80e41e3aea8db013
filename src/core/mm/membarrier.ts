/**
 * membarrier(2): makes the accesses of other threads ordered against the caller's, so that they can do without fences.
 *
 * Promise    every CPU concerned has passed an atomic access, a full fence of the host, between call and return; or was idle, and
 *            passes one before it runs guest code again.
 * Algorithm  a round of IPIs that flush nothing, as a shootdown's: of the space's CPUs for the private commands, of every CPU for the
 *            global ones (Linux: of those of registered processes; waiting for more is lawful).
 * State      S_MEMBARRIER: the REGISTER_ commands that were made; an atomic or
 * SYNC_CORE  the same round: a hart keeps no decoded instruction over a poll.
 * Errnos     EINVAL flags not 0, unknown commands, those of restartable sequences (a kernel without CONFIG_RSEQ); EPERM not registered
 * Linux      kernel/sched/membarrier.c
 */
import { Errno } from "../abi/errno";
import { bumpEpoch, C_TICKETS, cpuArea, cpusSeen } from "../sync/cpu";
import { interrupt, requestFlush, waitFlush } from "../sync/ipi";
import { shootRange } from "./shootdown";
import { S_MEMBARRIER, spaceOf } from "./space";

const QUERY: u32 = 0;
const GLOBAL: u32 = 1;
const GLOBAL_EXPEDITED: u32 = 2;
const REGISTER_GLOBAL_EXPEDITED: u32 = 4;
const PRIVATE_EXPEDITED: u32 = 8;
const REGISTER_PRIVATE_EXPEDITED: u32 = 16;
const SYNC_CORE: u32 = 32;
const REGISTER_SYNC_CORE: u32 = 64;
const GET_REGISTRATIONS: u32 = 512;
const SUPPORTED: u32 =
  GLOBAL |
  GLOBAL_EXPEDITED |
  REGISTER_GLOBAL_EXPEDITED |
  PRIVATE_EXPEDITED |
  REGISTER_PRIVATE_EXPEDITED |
  SYNC_CORE |
  REGISTER_SYNC_CORE |
  GET_REGISTRATIONS;

export function sysMembarrier(cpu: usize, command: u32, flags: u32): i64 {
  if (flags != 0) return -Errno.EINVAL;
  const state = spaceOf(cpu) + S_MEMBARRIER;
  if (command == QUERY) return <i64>SUPPORTED;
  if (command == GLOBAL || command == GLOBAL_EXPEDITED) {
    everyCpu(cpu);
    return 0;
  }
  if (command == REGISTER_GLOBAL_EXPEDITED || command == REGISTER_PRIVATE_EXPEDITED || command == REGISTER_SYNC_CORE) {
    atomic.or<u32>(state, command);
    return 0;
  }
  if (command == PRIVATE_EXPEDITED || command == SYNC_CORE) {
    if ((atomic.load<u32>(state) & (command << 1)) == 0) return -Errno.EPERM;
    shootRange(cpu, 0, 0);
    return 0;
  }
  if (command != GET_REGISTRATIONS) return -Errno.EINVAL;
  const made = atomic.load<u32>(state);
  // Linux counts a registration for SYNC_CORE among the private ones too, though it makes only its own command ready.
  return <i64>((made & REGISTER_SYNC_CORE) != 0 ? made | REGISTER_PRIVATE_EXPEDITED : made);
}

/** Posts to all, then waits for each; by groups of 64, as many as there are tickets. */
function everyCpu(cpu: usize): void {
  bumpEpoch(cpu);
  const n = cpusSeen();
  for (let first: u32 = 0; first < n; first += 64) {
    const count = n - first < 64 ? n - first : 64;
    let waiting: u64 = 0;
    for (let i: u32 = 0; i < count; i++) {
      const target = cpuArea(first + i);
      if (target == cpu) continue;
      const ticket = requestFlush(cpu, target, 0, 0);
      if (!interrupt(target)) continue;
      store<u32>(cpu + C_TICKETS + ((<usize>i) << 2), ticket);
      waiting |= u64(1) << u64(i);
    }
    for (let b = waiting; b != 0; b &= b - 1) {
      const i = <u32>ctz<u64>(b);
      waitFlush(cpu, cpuArea(first + i), load<u32>(cpu + C_TICKETS + ((<usize>i) << 2)));
    }
  }
}
