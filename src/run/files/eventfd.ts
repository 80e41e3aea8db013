/** files/eventfd.ts: a counter as a file (eventfd(2), fs/eventfd.c). */
import { Errno } from "../../core/abi/errno.js";
import { fail } from "./fail.js";
import { Handle, Listeners } from "./handle.js";
import { Poll } from "./linux.js";
import { anonymousStat } from "./pipe.js";
import type { Stat } from "./stat.js";
import type { Credentials } from "./vnode.js";

const MAX = (1n << 64n) - 2n;

export class EventCounter extends Handle {
  private readonly changed = new Listeners();
  private readonly about: Stat;

  constructor(
    private count: bigint,
    private readonly semaphore: boolean,
    owner: Credentials,
  ) {
    super();
    this.about = anonymousStat(0o600, owner);
  }

  stat(): Stat {
    return this.about;
  }

  override read(into: Uint8Array): number {
    if (into.length < 8) return fail(Errno.EINVAL);
    if (this.count === 0n) return -Errno.EAGAIN;
    const taken = this.semaphore ? 1n : this.count;
    this.count -= taken;
    new DataView(into.buffer, into.byteOffset).setBigUint64(0, taken, true);
    this.changed.tell();
    return 8;
  }

  override write(from: Uint8Array): number {
    // Longer ones too since Linux 6.10; before, what followed was not looked at.
    if (from.length !== 8) return fail(Errno.EINVAL);
    const added = new DataView(from.buffer, from.byteOffset).getBigUint64(0, true);
    if (added > MAX) return fail(Errno.EINVAL);
    if (added > MAX - this.count) return -Errno.EAGAIN;
    this.count += added;
    this.changed.tell();
    return 8;
  }

  override poll(): number {
    return (this.count > 0n ? Poll.In : 0) | (this.count < MAX ? Poll.Out : 0);
  }

  override watch(_events: number, listener: () => void): () => void {
    return this.changed.add(listener);
  }
}
