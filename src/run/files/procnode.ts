/** files/procnode.ts: what /proc is made of. Nothing is stored: directories and texts are made when looked at, a text once
 *  for each opening. */
import { Errno } from "../../core/abi/errno.js";
import { toBytes } from "./bytes.js";
import { fail } from "./fail.js";
import { Handle } from "./handle.js";
import { Mode, makedev } from "./linux.js";
import { type FsStat, nowNs, type Stat } from "./stat.js";
import { type Credentials, type Entry, type Place, Vnode } from "./vnode.js";

const DEV = makedev(0, 0xff0ff);
const PROC_MAGIC = 0x9fa0n;
const ROOT_INO = 1n;

/** One file of /proc. Two with the same path are the same. */
export abstract class ProcNode extends Vnode {
  constructor(
    protected readonly owner: Credentials,
    readonly path: string,
    private readonly mode: number,
  ) {
    super();
  }
  override get type(): number {
    return this.mode & Mode.TypeMask;
  }
  same(other: Vnode): boolean {
    return other instanceof ProcNode && other.path === this.path;
  }
  stat(): Stat {
    const { uid, gid } = this.owner;
    const now = nowNs();
    const times = { accessNs: now, modifyNs: now, changeNs: now };
    const sizes = { size: 0n, blocks: 0n, blockSize: 1024, rdev: 0n };
    const nlink = this.type === Mode.Directory ? 2 : 1;
    return { dev: DEV, ino: inoOf(this.path), mode: this.mode, nlink, uid, gid, ...sizes, ...times };
  }
  statfs(): FsStat {
    return { type: PROC_MAGIC, blockSize: 4096n, blocks: 0n, free: 0n, available: 0n, files: 0n, freeFiles: 0n };
  }
  open(): Handle {
    return new ProcHandle(this, new Uint8Array(0));
  }
}

/** FNV-1a over the path: the same number at every look. */
function inoOf(path: string): bigint {
  if (path === "") return ROOT_INO;
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < path.length; i++) hash = BigInt.asUintN(64, (hash ^ BigInt(path.charCodeAt(i))) * 0x100000001b3n);
  return hash >> 8n;
}

export class ProcHandle extends Handle {
  constructor(
    private readonly node: ProcNode,
    private readonly bytes: Uint8Array,
  ) {
    super();
  }
  override get seekable(): boolean {
    return true;
  }
  stat(): Stat {
    return this.node.stat();
  }
  override read(into: Uint8Array, at: number): number {
    const part = this.bytes.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  }
}

export class ProcText extends ProcNode {
  constructor(
    owner: Credentials,
    path: string,
    private readonly text: () => string,
  ) {
    super(owner, path, Mode.Regular | 0o444);
  }
  override open(): Handle {
    return new ProcHandle(this, toBytes(this.text()));
  }
}

export class ProcLink extends ProcNode {
  constructor(
    owner: Credentials,
    path: string,
    private readonly text: () => string,
    private readonly target?: () => Place | undefined,
  ) {
    super(owner, path, Mode.Link | 0o777);
  }
  override readlink(): string {
    return this.text();
  }
  override jump(): Place | undefined {
    return this.target && (this.target() ?? fail(Errno.ENOENT));
  }
}

export type Children = ReadonlyMap<string, (path: string) => ProcNode>;

export class ProcDirectory extends ProcNode {
  constructor(
    owner: Credentials,
    path: string,
    private readonly children: () => Children,
    private readonly parent?: ProcDirectory,
  ) {
    super(owner, path, Mode.Directory | 0o555);
  }
  override lookup(name: string): Vnode {
    const make = this.children().get(name) ?? fail(Errno.ENOENT);
    return make(`${this.path}/${name}`);
  }
  override list(): Entry[] {
    return [...this.children()].map(([name, make]) => {
      const { type, path } = make(`${this.path}/${name}`);
      return { name, type, ino: inoOf(path) };
    });
  }
  override above(): Vnode | undefined {
    return this.parent;
  }
  override nameAbove(): string | undefined {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }
}
