/**
 * Runs of contiguous frames, for blocks of page tables.
 *
 *   the frontier of frames never used, else
 *   assembled: the global free list is walked for an aligned run that lies in it whole
 *
 * Cost       assembling walks the global list four times; only a memory whose every frame was used once comes to that.
 * Locks      one FREE_LOCK at a time, then the global lock, as frame.ts.
 */
import { cpuArea, cpusSeen } from "../sync/cpu";
import { H_FIRST_FRAME, H_FRAMES } from "../sync/layout";
import { lock, unlock } from "../sync/spinlock";
import {
  D_BUNDLE,
  D_LINK,
  D_TYPE,
  descriptor,
  drainFrames,
  G_FRONTIER,
  G_LIST,
  G_LOCK,
  pushBundle,
  TYPE_FREE,
} from "./frame";

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
  const cpus = cpusSeen();
  for (let i: u32 = 0; i < cpus; i++) drainFrames(cpu, cpuArea(i));
  lock(cpu, G_LOCK);
  run = assembleLocked(n);
  unlock(G_LOCK);
  return run;
}

function assembleLocked(n: u32): usize {
  markListed(LISTED);
  let run: usize = 0;
  for (let b = <usize>load<u32>(G_LIST); b != 0 && run == 0; b = <usize>load<u32>(descriptor(b), D_BUNDLE)) {
    for (let phys = b; phys != 0 && run == 0; phys = nextOf(phys)) {
      const first = phys & ~(((<usize>n) << 12) - 1);
      if (allListed(first, n)) run = first;
    }
  }
  markListed(TYPE_FREE);
  if (run != 0) takeOut(run, run + ((<usize>n) << 12));
  return run;
}

/** Sets the type of every frame of the global list. */
function markListed(type: u32): void {
  for (let b = <usize>load<u32>(G_LIST); b != 0; b = <usize>load<u32>(descriptor(b), D_BUNDLE)) {
    for (let phys = b; phys != 0; phys = nextOf(phys)) store<u32>(descriptor(phys), type, D_TYPE);
  }
}

/** Builds the global list anew, bundle for bundle, without the frames of [run, end). */
function takeOut(run: usize, end: usize): void {
  let bundle = <usize>load<u32>(G_LIST);
  store<u32>(G_LIST, 0);
  store<u32>(G_LIST, 0, 4);
  while (bundle != 0) {
    const nextBundle = <usize>load<u32>(descriptor(bundle), D_BUNDLE);
    let head: usize = 0;
    let kept: u32 = 0;
    let phys = bundle;
    while (phys != 0) {
      const after = nextOf(phys);
      if (phys < run || phys >= end) {
        store<u32>(descriptor(phys), <u32>head, D_LINK);
        head = phys;
        kept++;
      }
      phys = after;
    }
    if (kept != 0) pushBundle(G_LIST, head, kept);
    bundle = nextBundle;
  }
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
