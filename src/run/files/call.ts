/** files/call.ts: one request as a verb reads it, and what the verbs share. */
import { Errno } from "../../core/abi/errno.js";
import { readByteString } from "./bytes.js";
import type { Description } from "./description.js";
import { fail } from "./fail.js";
import { At } from "./linux.js";
import type { State } from "./process.js";
import type { FileRequest } from "./service.js";
import type { Place } from "./vnode.js";

export type { State };

export type Verb = (state: State, call: Call) => number | Promise<number>;

/** Positions and sizes are JavaScript numbers, exact up to here; nothing is longer (the largest s_maxbytes). */
export const OFFSET_MAX = Number.MAX_SAFE_INTEGER;

export class Call {
  constructor(readonly request: FileRequest) {}

  private raw(index: number): bigint {
    return this.request.args[index] ?? 0n;
  }

  get cpu(): number {
    return this.request.cpu;
  }

  int(index: number): number {
    return Number(BigInt.asIntN(32, this.raw(index)));
  }

  uint(index: number): number {
    return Number(BigInt.asUintN(32, this.raw(index)));
  }

  /** An unsigned 64-bit value, whole. */
  word(index: number): bigint {
    return BigInt.asUintN(64, this.raw(index));
  }

  /** A signed 64-bit position; not exact beyond OFFSET_MAX either way. */
  offset(index: number): number {
    return Number(BigInt.asIntN(64, this.raw(index)));
  }

  /** A pointer argument that was NULL. */
  isNull(index: number): boolean {
    return this.raw(index) === -1n;
  }

  path(index: number): string {
    return readByteString(this.request.bounce, Number(this.raw(index)));
  }

  bytes(index: number, length: number): Uint8Array {
    const at = Number(this.raw(index));
    return this.request.bounce.subarray(at, at + length);
  }

  view(index: number, length: number): DataView {
    const { buffer, byteOffset } = this.request.bounce;
    return new DataView(buffer, byteOffset + Number(this.raw(index)), length);
  }
}

/** Where a relative path starts. An absolute one never looks at the descriptor. */
export function baseOf(state: State, fd: number, path: string): Place {
  if (path === "") fail(Errno.ENOENT);
  if (path.startsWith("/")) return state.space.root;
  if (fd === At.FdCwd) return state.cwd;
  const description = state.table.get(fd);
  if (!description.isDirectory) fail(Errno.ENOTDIR);
  return description.place;
}

/** An existing file by descriptor and path. */
export function placeOf(state: State, fd: number, path: string, follow: boolean): Place {
  return state.space.lookup(baseOf(state, fd, path), path, follow);
}

/** What a descriptor is itself open on (AT_EMPTY_PATH), which may have no name any more. */
export function placeOfDescriptor(state: State, fd: number): Place {
  return fd === At.FdCwd ? state.cwd : state.table.get(fd).place;
}

/** A descriptor that is more than a place (not O_PATH). */
export function openOf(state: State, fd: number): Description {
  const description = state.table.get(fd);
  return description.isPath ? fail(Errno.EBADF) : description;
}

export function mayWrite(place: Place): void {
  if (place.mount.readOnly) fail(Errno.EROFS);
}

export function onlyFlags(flags: number, allowed: number): void {
  if (flags & ~allowed) fail(Errno.EINVAL);
}
