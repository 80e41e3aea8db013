/** files/copy.ts: sendfile and copy_file_range: bytes from file to file that no guest memory sees.
 *  Both may move less than was asked for, and here one request moves at most COPY_MAX bytes, so that a large copy does not
 *  keep other threads' calls waiting; callers go on where it stopped, as they must with any kernel. A pipe or stream that
 *  takes some of it ends the call too; one that takes nothing is waited for.
 *  Linux     compare fs/read_write.c:do_sendfile, generic_copy_file_checks, vfs_copy_file_range; fs/splice.c */
import { Errno } from "../../core/abi/errno.js";
import { type Call, OFFSET_MAX, type State, type Verb } from "./call.js";
import type { Description } from "./description.js";
import { attempt, fail } from "./fail.js";
import { Open, Poll } from "./linux.js";

const COPY_MAX = 1 << 24;
const PIECE = 1 << 16;

/** Where one side of a copy stands: a position the guest passed, or the open file's own. */
class Cursor {
  at: number;

  constructor(
    readonly description: Description,
    private readonly call: Call,
    /** The argument that points to the position. */
    private readonly index: number,
  ) {
    if (call.isNull(index)) this.at = description.offset;
    else this.at = Number(call.view(index, 8).getBigInt64(0, true));
  }

  moved(count: number): void {
    this.at += count;
    if (!this.call.isNull(this.index)) this.call.view(this.index, 8).setBigInt64(0, BigInt(this.at), true);
    else this.description.offset = this.at;
  }
}

export const sendFile: Verb = (state, call) => {
  const input = state.table.get(call.int(1));
  if (!input.readable) fail(Errno.EBADF);
  if (!call.isNull(2) && !input.handle.seekable) fail(Errno.ESPIPE);
  const from = new Cursor(input, call, 2);
  if (from.at < 0) fail(Errno.EINVAL);
  const output = state.table.get(call.int(0));
  if (!output.writable) fail(Errno.EBADF);
  const count = Math.min(call.offset(3), COPY_MAX);
  if (count < 0 || !input.handle.regular || output.flags & Open.Append) fail(Errno.EINVAL);
  const moveSome = (): number => {
    // Before there is anything to move (fs/splice.c:wait_for_space).
    if (output.handle.poll() & Poll.Error) return -Errno.EPIPE;
    const to = output.handle.seekable ? output.offset : undefined;
    const moved = copy(state, input, from.at, output, to, count);
    if (moved <= 0) return moved;
    from.moved(moved);
    if (to !== undefined) output.offset = to + moved;
    return moved;
  };
  if (output.nonBlocking || output.handle.regular) return moveSome();
  let waited = false;
  const result = state.waits.until({
    cpu: call.cpu,
    attempt: moveSome,
    watch: (listener) => {
      waited = true;
      input.retain();
      output.retain();
      return output.handle.watch(Poll.Out, listener);
    },
  });
  if (typeof result === "number") return result;
  return result.finally(() => {
    if (!waited) return;
    input.release();
    output.release();
  });
};

export const copyFileRange: Verb = (state, call) => {
  const [input, output] = [state.table.get(call.int(0)), state.table.get(call.int(2))];
  const [from, to] = [new Cursor(input, call, 1), new Cursor(output, call, 3)];
  if (input.isPath || output.isPath) fail(Errno.EBADF);
  if (call.uint(5) !== 0) fail(Errno.EINVAL);
  if (input.isDirectory || output.isDirectory) fail(Errno.EISDIR);
  if (!input.handle.regular || !output.handle.regular) fail(Errno.EINVAL);
  if (!input.readable || !output.writable || output.flags & Open.Append) fail(Errno.EBADF);
  const [source, target] = [input.handle.stat(), output.handle.stat()];
  if (source.dev !== target.dev) fail(Errno.EXDEV);
  const length = call.offset(4);
  if (length < 0 || wraps(from.at, length) || wraps(to.at, length)) fail(Errno.EOVERFLOW);
  if (from.at < 0 || to.at < 0) fail(Errno.EINVAL);
  const count = Math.min(length, Math.max(0, Number(source.size) - from.at));
  const overlaps = source.ino === target.ino && from.at < to.at + count && to.at < from.at + count;
  if (overlaps) fail(Errno.EINVAL);
  const moved = copy(state, input, from.at, output, to.at, Math.min(count, COPY_MAX));
  if (moved > 0) {
    from.moved(moved);
    to.moved(moved);
  }
  return moved;
};

/** The end of the range is no position (the sum is taken without a sign). */
const wraps = (at: number, length: number): boolean => at + length > OFFSET_MAX || (at < 0 && at + length >= 0);

/** Bytes moved; an errno when none was. `to`: undefined for what has no positions. */
function copy(
  state: State,
  input: Description,
  from: number,
  output: Description,
  to: number | undefined,
  count: number,
): number {
  const buffer = new Uint8Array(Math.min(count, PIECE));
  let done = 0;
  while (done < count) {
    const piece = buffer.subarray(0, Math.min(buffer.length, count - done));
    const read = state.objects.read(input.handle, piece, from + done);
    if (read <= 0) return done || read;
    const at = to === undefined ? -1 : to + done;
    const written = write(state, output, piece.subarray(0, read), at, done);
    if (written <= 0) return done || written;
    done += written;
    if (written < read) break;
  }
  return done;
}

/** One piece; an error after some pieces shows at the next call. */
function write(state: State, { handle }: Description, bytes: Uint8Array, at: number, done: number): number {
  if (done === 0) return state.objects.write(handle, bytes, at);
  return attempt(() => state.objects.write(handle, bytes, at));
}
