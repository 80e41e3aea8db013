/** calls/futex.ts: futex(2): operations and timeouts; core/task/futex.ts waits and wakes. */
import { Errno } from "../../core/abi/errno.js";
import { RESTART, type Thread } from "../thread.js";
import { type Args, int, long, uint } from "./args.js";
import { readTimespec } from "./clock.js";

enum Op {
  Wait = 0,
  Wake = 1,
  Requeue = 3,
  CmpRequeue = 4,
  WakeOp = 5,
  WaitBitset = 9,
  WakeBitset = 10,
}

const PRIVATE = 128;
const CLOCK_REALTIME = 256;
const ANY = 0xffffffff;

export function futex(thread: Thread, args: Args): number | bigint {
  const { core, cpu, guest } = thread;
  const address = long(args, 0);
  const code = int(args, 1);
  const op = code & ~(PRIVATE | CLOCK_REALTIME);
  const realtime = (code & CLOCK_REALTIME) !== 0;
  const shared = (code & PRIVATE) === 0 ? 1 : 0;
  const value = uint(args, 2);
  const second = long(args, 4);
  if (realtime && op !== Op.WaitBitset) return -Errno.ENOSYS;
  if ((address & 3n) !== 0n) return op in Op ? -Errno.EINVAL : -Errno.ENOSYS;
  switch (op) {
    case Op.Wait:
      return wait(thread, shared, address, value, ANY, long(args, 3), false, false);
    case Op.WaitBitset:
      return uint(args, 5) === 0
        ? -Errno.EINVAL
        : wait(thread, shared, address, value, uint(args, 5), long(args, 3), true, realtime);
    case Op.Wake:
      return core.futexWake(cpu, shared, address, Math.max(1, int(args, 2)), ANY);
    case Op.WakeBitset:
      return uint(args, 5) === 0
        ? -Errno.EINVAL
        : core.futexWake(cpu, shared, address, Math.max(1, int(args, 2)), uint(args, 5));
    case Op.Requeue:
    case Op.CmpRequeue: {
      const move = int(args, 3);
      if (int(args, 2) < 0 || move < 0 || (second & 3n) !== 0n) return -Errno.EINVAL;
      const compare = op === Op.CmpRequeue ? 1 : 0;
      const expected = uint(args, 5);
      return guest.serve(() => core.futexRequeue(cpu, shared, address, second, value, move, compare, expected));
    }
    case Op.WakeOp:
      if ((second & 3n) !== 0n) return -Errno.EINVAL;
      return guest.serve(() =>
        core.futexWakeOp(cpu, shared, address, Math.max(1, value), second, Math.max(1, int(args, 3)), uint(args, 5)),
      );
  }
  return -Errno.ENOSYS;
}

function wait(
  thread: Thread,
  shared: number,
  address: bigint,
  expected: number,
  bitset: number,
  timeout: bigint,
  absolute: boolean,
  realtime: boolean,
): number {
  let deadline = -1;
  if (timeout !== 0n) {
    const ns = readTimespec(thread, timeout);
    if (ns < 0) return ns;
    deadline = absolute ? Math.max(0, realtime ? ns - thread.process.epochNs : ns) : thread.now() + ns;
  }
  for (;;) {
    const result = thread.asleep(() =>
      thread.guest.serve(() => thread.core.futexWait(thread.cpu, shared, address, expected, bitset, deadline)),
    );
    if (result !== -Errno.EINTR) return result;
    thread.stopIfEnding();
    if (thread.interrupted()) return timeout === 0n ? RESTART : -Errno.EINTR;
  }
}
