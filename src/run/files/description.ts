/** files/description.ts: an open file description and the table of descriptors that name it.
 *
 *     fd 3 ─┐                                    fields, all private to the main thread:
 *     fd 5 ─┴─> Description {flags, position} ─> Handle ─> inode, host descriptor, pipe …
 *               references: descriptors and /proc jumps        a mapped object holds the Handle too
 *
 *  Follows open(2) "open file description", dup(2), fs/file.c (lowest free number, EMFILE at the limit). */
import { Errno } from "../../core/abi/errno.js";
import { fail } from "./fail.js";
import { type Handle, Listeners } from "./handle.js";
import { Mode, Open } from "./linux.js";
import type { Entry, Place, Vnode } from "./vnode.js";

export class Description {
  position = 0;
  /** A directory's entries as they were at the last rewind. */
  entries: Entry[] | undefined;
  /** The CPU whose large read or write is under way; others wait on `freed`. */
  holder: number | undefined;
  readonly freed = new Listeners();
  /** Told at its end: it has, or had, locks (locks.ts). */
  ended: (() => void) | undefined;
  private references = 0;
  private readonly node: Vnode;
  readonly isDirectory: boolean;

  constructor(
    readonly handle: Handle,
    readonly place: Place,
    /** Access mode and status flags; CloseOnExec is the descriptor's. */
    public flags: number,
  ) {
    this.node = place.node;
    this.isDirectory = !handle.regular && (handle.stat().mode & Mode.TypeMask) === Mode.Directory;
    this.node.hold();
  }

  get isPath(): boolean {
    return (this.flags & Open.Path) !== 0;
  }
  get readable(): boolean {
    return !this.isPath && [Open.ReadOnly, Open.ReadWrite].includes(this.flags & Open.AccessMask);
  }
  get writable(): boolean {
    return !this.isPath && [Open.WriteOnly, Open.ReadWrite].includes(this.flags & Open.AccessMask);
  }
  get nonBlocking(): boolean {
    return (this.flags & Open.NonBlock) !== 0;
  }

  /** The position of calls that name none. */
  get offset(): number {
    return this.handle.keepsPosition ? this.handle.tell() : this.position;
  }
  set offset(to: number) {
    if (this.handle.keepsPosition) this.handle.seek(to);
    else this.position = to;
  }

  retain(): this {
    this.references++;
    return this;
  }

  release(): void {
    if (--this.references > 0) return;
    this.ended?.();
    this.node.letGo();
    this.handle.release();
  }

  /** A large read or write begins, goes on or ends; see marshal.ts, Pieces. */
  holdFor(cpu: number | undefined): void {
    if (this.holder === cpu) return;
    this.holder = cpu;
    if (cpu === undefined) this.freed.tell();
  }
}

interface Slot {
  readonly description: Description;
  closeOnExec: boolean;
}

export class DescriptorTable {
  private slots: Array<Slot | undefined> = [];
  /** Processes that use it. */
  private users = 1;

  constructor(
    readonly limit: number,
    /** A descriptor goes, its description perhaps not yet: record locks end with it. */
    private readonly closed: (description: Description, table: DescriptorTable) => void = () => {},
  ) {}

  get isShared(): boolean {
    return this.users > 1;
  }

  share(): this {
    this.users++;
    return this;
  }

  /** The same open files under the same numbers. */
  copy(): DescriptorTable {
    const copy = new DescriptorTable(this.limit, this.closed);
    copy.slots = this.slots.map((slot) => slot && { ...slot, description: slot.description.retain() });
    return copy;
  }

  leave(): void {
    if (--this.users > 0) return;
    for (const fd of this.numbers()) this.close(fd);
  }

  closeOnExec(): void {
    for (const fd of this.numbers()) if (this.slots[fd]?.closeOnExec) this.close(fd);
  }

  get(fd: number): Description {
    return this.slot(fd).description;
  }

  slot(fd: number): Slot {
    return this.slots[fd] ?? fail(Errno.EBADF);
  }

  has(fd: number): boolean {
    return this.slots[fd] !== undefined;
  }

  /** The number that add would give. */
  lowest(least = 0): number {
    let fd = least;
    while (this.slots[fd]) fd++;
    return fd < this.limit ? fd : fail(Errno.EMFILE);
  }

  /** Puts a description at the lowest free number from `least` on. When there is none the caller still owns it. */
  add(description: Description, closeOnExec: boolean, least = 0): number {
    const fd = this.lowest(least);
    this.slots[fd] = { description: description.retain(), closeOnExec };
    return fd;
  }

  /** As add, for a new description: dropped again when there is no number for it. */
  adopt(description: Description, closeOnExec: boolean): number {
    description.retain();
    try {
      return this.add(description, closeOnExec);
    } finally {
      description.release();
    }
  }

  replace(fd: number, description: Description, closeOnExec: boolean): void {
    const old = this.slots[fd];
    this.slots[fd] = { description: description.retain(), closeOnExec };
    if (old) this.drop(old.description);
  }

  close(fd: number): void {
    const { description } = this.slot(fd);
    this.slots[fd] = undefined;
    this.drop(description);
  }

  private drop(description: Description): void {
    this.closed(description, this);
    description.release();
  }

  /** Open descriptors, in order. */
  numbers(): number[] {
    return this.slots.flatMap((slot, fd) => (slot ? [fd] : []));
  }
}
