/** files/descriptors.ts: dup, dup3, fcntl: calls about descriptors, not about what they lead to. */
import { Errno } from "../../core/abi/errno.js";
import { type Call, openOf, type State, type Verb } from "./call.js";
import type { Description } from "./description.js";
import { fail } from "./fail.js";
import { Fcntl, Mode, Open } from "./linux.js";
import { fcntlLock } from "./locks.js";
import { addSeals, getSeals } from "./memfd.js";

const CLOSE_ON_EXEC = 1;
/** What F_SETFL may change. */
const SETTABLE = Open.Append | Open.NonBlock | Open.Direct | Open.NoAccessTime;
const PIPE_BYTES = 65536;

export const dup: Verb = (state, call) => state.table.add(state.table.get(call.int(0)), false);

export const dup3: Verb = (state, call) => {
  const [from, to, flags] = [call.int(0), call.int(1), call.uint(2)];
  if (flags & ~Open.CloseOnExec || from === to) fail(Errno.EINVAL);
  if (to < 0 || to >= state.table.limit) fail(Errno.EBADF);
  state.table.replace(to, state.table.get(from), flags !== 0);
  return to;
};

export const fcntl: Verb = (state, call) => {
  const fd = call.int(0);
  const slot = state.table.slot(fd);
  switch (call.int(1)) {
    case Fcntl.DupFd:
      return duplicate(state, call, false);
    case Fcntl.DupFdCloseOnExec:
      return duplicate(state, call, true);
    case Fcntl.GetFd:
      return slot.closeOnExec ? CLOSE_ON_EXEC : 0;
    case Fcntl.SetFd:
      slot.closeOnExec = (call.uint(2) & CLOSE_ON_EXEC) !== 0;
      return 0;
    case Fcntl.GetFl:
      return slot.description.flags;
  }
  const description = openOf(state, fd);
  switch (call.int(1)) {
    case Fcntl.SetFl:
      if (description.flags & Open.Append && !(call.uint(2) & Open.Append) && description.handle.appends)
        fail(Errno.EPERM);
      description.flags = (description.flags & ~SETTABLE) | (call.uint(2) & SETTABLE);
      return 0;
    case Fcntl.GetLock:
    case Fcntl.OfdGetLock:
    case Fcntl.SetLock:
    case Fcntl.SetLockWait:
    case Fcntl.OfdSetLock:
    case Fcntl.OfdSetLockWait:
      return fcntlLock(state, call);
    case Fcntl.AddSeals:
      return addSeals(state, call);
    case Fcntl.GetSeals:
      return getSeals(state, call);
    case Fcntl.GetPipeSize:
      return pipeSize(description);
    case Fcntl.SetPipeSize:
      return call.uint(2) > pipeSize(description) ? fail(Errno.EPERM) : pipeSize(description);
  }
  return fail(Errno.EINVAL);
};

/** Every pipe here is as long as Linux makes them; none grows. */
function pipeSize({ handle }: Description): number {
  return (handle.stat().mode & Mode.TypeMask) === Mode.Fifo ? PIPE_BYTES : fail(Errno.EBADF);
}

function duplicate(state: State, call: Call, closeOnExec: boolean): number {
  const least = call.int(2);
  if (least < 0 || least >= state.table.limit) fail(Errno.EINVAL);
  return state.table.add(state.table.get(call.int(0)), closeOnExec, least);
}
