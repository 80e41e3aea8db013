/** files/poll.ts: ppoll and pselect6 over anything that can be watched.
 *  The signal mask is the worker's affair: it sets it before it asks and restores it after.
 *  struct pollfd: 0 fd i32 | 4 events i16 | 6 revents i16. An fd_set is a run of 64-bit words, one bit a descriptor.
 *  Follows fs/select.c:do_pollfd, do_select (POLLIN_SET, POLLOUT_SET, POLLEX_SET). */
import { Errno } from "../../core/abi/errno.js";
import type { Call, State, Verb } from "./call.js";
import { POLL_MAX } from "./calls.js";
import { fail } from "./fail.js";
import type { Handle } from "./handle.js";
import { Poll } from "./linux.js";

const ALWAYS = Poll.Error | Poll.HangUp;
const SECOND = 1_000_000_000n;

function timeoutMs(call: Call, index: number): number | undefined {
  if (call.isNull(index)) return undefined;
  const view = call.view(index, 16);
  const [seconds, nanoseconds] = [view.getBigInt64(0, true), view.getBigInt64(8, true)];
  if (seconds < 0n || nanoseconds < 0n || nanoseconds >= SECOND) fail(Errno.EINVAL);
  // Never early: part of a millisecond counts as one.
  return Number(seconds) * 1000 + Math.ceil(Number(nanoseconds) / 1e6);
}

/** What a handle is ready for, normal data counted as data. */
function ready(handle: Handle): number {
  const bits = handle.poll();
  return bits | (bits & Poll.In ? Poll.ReadNormal : 0) | (bits & Poll.Out ? Poll.WriteNormal : 0);
}

interface Watched {
  readonly handle: Handle;
  readonly events: number;
}

/** Waits until attempt gives a count. The handles stay alive meanwhile, whoever closes their descriptors. */
function waitFor(
  state: State,
  call: Call,
  watched: readonly Watched[],
  timeout: number | undefined,
  attempt: () => number,
): number | Promise<number> {
  for (const { handle } of watched) handle.retain();
  const release = (): void => {
    for (const { handle } of watched) handle.release();
  };
  const result = state.waits.until({
    cpu: call.cpu,
    timeoutMs: timeout,
    attempt: () => attempt() || -Errno.EAGAIN,
    expired: attempt,
    watch: (listener) => {
      const stops = watched.map(({ handle, events }) => handle.watch(events, listener));
      return () => {
        for (const stop of stops) stop();
      };
    },
  });
  if (typeof result !== "number") return result.finally(release);
  release();
  return result;
}

export const ppoll: Verb = (state, call) => {
  const count = call.uint(1);
  if (count > POLL_MAX || count > state.table.limit) fail(Errno.EINVAL);
  const timeout = timeoutMs(call, 2);
  const view = call.view(0, count * 8);
  const entries = Array.from({ length: count }, (_, i) => {
    const fd = view.getInt32(i * 8, true);
    const events = view.getInt16(i * 8 + 4, true);
    return { at: i * 8 + 6, fd, events, handle: openHandle(state, fd) };
  });
  const watched = entries.flatMap(({ handle, events }) => (handle ? [{ handle, events }] : []));
  return waitFor(state, call, watched, timeout, () => {
    let hits = 0;
    for (const { at, fd, events, handle } of entries) {
      const bits = handle ? ready(handle) & (events | ALWAYS) : fd < 0 ? 0 : Poll.Invalid;
      view.setInt16(at, bits, true);
      if (bits) hits++;
    }
    return hits;
  });
};

function openHandle(state: State, fd: number): Handle | undefined {
  if (!state.table.has(fd)) return undefined;
  const description = state.table.get(fd);
  return description.isPath ? undefined : description.handle;
}

const SETS = [
  { index: 1, asks: Poll.In, bits: Poll.In | Poll.HangUp | Poll.Error },
  { index: 2, asks: Poll.Out, bits: Poll.Out | Poll.Error },
  { index: 3, asks: Poll.Priority, bits: Poll.Priority },
] as const;

export const pselect6: Verb = (state, call) => {
  if (call.int(0) < 0) fail(Errno.EINVAL);
  const count = Math.min(call.int(0), POLL_MAX);
  const timeout = timeoutMs(call, 4);
  const words = Math.ceil(count / 64);
  const views = SETS.map((set) =>
    words === 0 || call.isNull(set.index) ? undefined : call.view(set.index, words * 8),
  );
  const wanted = views.flatMap((view, which) => (view ? listSet(view, count).map((fd) => ({ fd, which })) : []));
  const entries = wanted.map(({ fd, which }) => {
    const handle = openHandle(state, fd) ?? fail(Errno.EBADF);
    return { fd, which, handle, events: SETS[which]?.asks ?? 0 };
  });
  return waitFor(state, call, entries, timeout, () => {
    const hits = entries.filter(({ handle, which }) => handle.poll() & (SETS[which]?.bits ?? 0));
    for (const view of views) if (view) for (let i = 0; i < words; i++) view.setBigUint64(i * 8, 0n, true);
    for (const { fd, which } of hits) {
      const view = views[which];
      const at = (fd >> 6) * 8;
      view?.setBigUint64(at, view.getBigUint64(at, true) | (1n << BigInt(fd & 63)), true);
    }
    return hits.length;
  });
};

function listSet(view: DataView, count: number): number[] {
  const fds: number[] = [];
  for (let fd = 0; fd < count; fd++) {
    if ((view.getUint8(fd >> 3) >> (fd & 7)) & 1) fds.push(fd);
  }
  return fds;
}
