/** files/ipcids.ts: numbers of System V objects: an index that is used again, and how often the indexes went round.
 *
 *     id = sequence << 15 | index            a stale id finds its index taken by another: EIDRM, or free: EINVAL
 *
 *  Linux     compare ipc/util.c:ipc_idr_alloc, ipc_obtain_object_check, ipcperms */
import { Errno } from "../../core/abi/errno.js";
import { fail } from "./fail.js";
import type { Credentials } from "./vnode.js";

const INDEX_BITS = 15;
const INDEX_MASK = (1 << INDEX_BITS) - 1;
const SEQUENCE_MAX = 0xffff;
const CYCLE_MIN = 64;

/** struct kern_ipc_perm: who made it, whose it is, who may use it. */
export interface IpcPerm {
  readonly id: number;
  /** 0 (IPC_PRIVATE): nobody finds it by a key. */
  key: number;
  uid: number;
  gid: number;
  readonly cuid: number;
  readonly cgid: number;
  /** Nine permission bits, and flags of the kind of object above them. */
  mode: number;
}

export class IpcIds<Item extends IpcPerm> {
  private readonly items = new Map<number, Item>();
  private last = -1;
  private sequence = 0;

  constructor(private readonly limit: number) {}

  get count(): number {
    return this.items.size;
  }
  get all(): Item[] {
    return [...this.items.values()];
  }
  /** The highest index in use; 0 when there is none, as the calls that tell it answer. */
  get highest(): number {
    return Math.max(0, ...this.items.keys());
  }

  /** Makes the item under a new id. */
  add(make: (id: number) => Item): Item {
    if (this.items.size >= this.limit) fail(Errno.ENOSPC);
    const cycle = Math.max(CYCLE_MIN, Math.ceil((this.items.size * 3) / 2));
    let index = this.last + 1;
    while (index < cycle && this.items.has(index)) index++;
    if (index >= cycle) {
      index = 0;
      while (this.items.has(index)) index++;
    }
    if (index <= this.last) this.sequence = (this.sequence + 1) & SEQUENCE_MAX;
    this.last = index;
    const item = make((this.sequence << INDEX_BITS) | index);
    this.items.set(index, item);
    return item;
  }

  get(id: number): Item {
    const item = this.at(id & INDEX_MASK);
    return item.id === id ? item : fail(Errno.EIDRM);
  }

  at(index: number): Item {
    return this.items.get(index) ?? fail(Errno.EINVAL);
  }

  byKey(key: number): Item | undefined {
    return this.all.find((item) => item.key === key);
  }

  remove({ id }: Item): void {
    this.items.delete(id & INDEX_MASK);
  }
}

export const sequenceOf = (id: number): number => id >>> INDEX_BITS;

/** `wanted`: permission bits, in any of the three places. */
export function ipcPermits(perm: IpcPerm, wanted: number, { uid, gid }: Credentials): boolean {
  if (uid === 0) return true;
  const asked = (wanted >> 6) | (wanted >> 3) | wanted;
  const own = uid === perm.uid || uid === perm.cuid;
  const group = gid === perm.gid || gid === perm.cgid;
  return (asked & ~(perm.mode >> (own ? 6 : group ? 3 : 0)) & 7) === 0;
}

/** IPC_SET and IPC_RMID: the owner, the maker, root. */
export function mustOwnIpc({ uid, cuid }: IpcPerm, who: Credentials): void {
  if (who.uid !== 0 && who.uid !== uid && who.uid !== cuid) fail(Errno.EPERM);
}
