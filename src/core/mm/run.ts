/**
 * Runs of contiguous frames, for blocks of page tables.
 *
 *   the frontier of frames never used, else
 *   assembled: the global free list is walked for an aligned run that lies in it whole
 *
 * Cost       assembling walks the global list twice; only a memory whose every frame was used once comes to that. Frames
 *            on the lists of other CPUs are not found.
 * Locks      own FREE_LOCK, then the global lock, as frame.ts.
 */
import { H_FIRST_FRAME, H_FRAMES } from "../sync/layout";
import { lock, unlock } from "../sync/spinlock";
import { D_LINK, D_TYPE, descriptor, drainFrames, G_COUNT, G_FRONTIER, G_HEAD, G_LOCK, TYPE_FREE } from "./frame";

/** Stands for TYPE_FREE on the frames of the global list while a run is looked for. */
const LISTED: u32 = 0x200;

/** First byte of `n` contiguous frames, n a power of two; their types are free's still. 0: there is no such run. */
export function allocRun(cpu: usize, n: u32): usize {
  lock(cpu, G_LOCK);
  const next = load<u32>(G_FRONTIER);
  let run: usize = 0;
  if (next + n <= load<u32>(H_FIRST_FRAME) + load<u32>(H_FRAMES)) {
    store<u32>(G_FRONTIER, next + n);
    run = (<usize>next) << 12;
  }
  unlock(G_LOCK);
  if (run != 0) return run;
  drainFrames(cpu);
  lock(cpu, G_LOCK);
  run = assembleLocked(n);
  unlock(G_LOCK);
  return run;
}

function assembleLocked(n: u32): usize {
  for (let phys = <usize>load<u32>(G_HEAD); phys != 0; phys = nextOf(phys))
    store<u32>(descriptor(phys), LISTED, D_TYPE);
  let run: usize = 0;
  for (let phys = <usize>load<u32>(G_HEAD); phys != 0; phys = nextOf(phys)) {
    const first = phys & ~(((<usize>n) << 12) - 1);
    if (run == 0 && allListed(first, n)) run = first;
  }
  // One pass puts the types back, and takes the run off the list.
  let link = G_HEAD;
  let phys = <usize>load<u32>(G_HEAD);
  while (phys != 0) {
    const d = descriptor(phys);
    const after = load<u32>(d, D_LINK);
    store<u32>(d, TYPE_FREE, D_TYPE);
    if (run != 0 && phys >= run && phys < run + ((<usize>n) << 12)) {
      store<u32>(link, after);
      store<u32>(G_COUNT, load<u32>(G_COUNT) - 1);
    } else link = d + D_LINK;
    phys = <usize>after;
  }
  return run;
}

function nextOf(phys: usize): usize {
  return <usize>load<u32>(descriptor(phys), D_LINK);
}

function allListed(first: usize, n: u32): bool {
  if (first >> 12 < <usize>load<u32>(H_FIRST_FRAME)) return false;
  for (let i: u32 = 0; i < n; i++) {
    if (load<u32>(descriptor(first + ((<usize>i) << 12)), D_TYPE) != LISTED) return false;
  }
  return true;
}
