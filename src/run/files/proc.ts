/** files/proc.ts: /proc, the little of it that is true here. Nothing is stored: directories and texts are made when looked
 *  at, a text once for each opening. What is not known (maps, load, other processes) is absent, not invented. */
import { Errno } from "../../core/abi/errno.js";
import { toBytes } from "./bytes.js";
import { fail } from "./fail.js";
import { Handle } from "./handle.js";
import { Mode, makedev } from "./linux.js";
import { type FsStat, nowNs, type Stat } from "./stat.js";
import { type Credentials, type Entry, type Place, Vnode } from "./vnode.js";

/** What /proc tells; each asked for when it is read. */
export interface ProcFacts {
  readonly pid: number;
  readonly owner: Credentials;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly argv: () => readonly string[];
  readonly executable: () => Place | undefined;
  readonly cwd: () => Place;
  readonly root: () => Place;
  readonly pathOf: (place: Place) => string | undefined;
  readonly descriptors: () => ReadonlyArray<{ readonly fd: number; readonly place: Place; readonly label: string }>;
}

const DEV = makedev(0, 0xff0ff);
const PROC_MAGIC = 0x9fa0n;
const ROOT_INO = 1n;

/** One file of /proc. Two with the same path are the same. */
abstract class ProcNode extends Vnode {
  constructor(
    protected readonly facts: ProcFacts,
    protected readonly path: string,
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
    const { uid, gid } = this.facts.owner;
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

class ProcHandle extends Handle {
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

class ProcText extends ProcNode {
  constructor(
    facts: ProcFacts,
    path: string,
    private readonly text: () => string,
  ) {
    super(facts, path, Mode.Regular | 0o444);
  }
  override open(): Handle {
    return new ProcHandle(this, toBytes(this.text()));
  }
}

class ProcLink extends ProcNode {
  constructor(
    facts: ProcFacts,
    path: string,
    private readonly text: () => string,
    private readonly target?: () => Place | undefined,
  ) {
    super(facts, path, Mode.Link | 0o777);
  }
  override readlink(): string {
    return this.text();
  }
  override jump(): Place | undefined {
    return this.target && (this.target() ?? fail(Errno.ENOENT));
  }
}

type Children = ReadonlyMap<string, (path: string) => ProcNode>;

class ProcDirectory extends ProcNode {
  constructor(
    facts: ProcFacts,
    path: string,
    private readonly children: () => Children,
    private readonly parent?: ProcDirectory,
  ) {
    super(facts, path, Mode.Directory | 0o555);
  }
  override lookup(name: string): Vnode {
    const make = this.children().get(name) ?? fail(Errno.ENOENT);
    return make(`${this.path}/${name}`);
  }
  override list(): Entry[] {
    return [...this.children()].map(([name, make]) => {
      const { type, path } = make(`${this.path}/${name}`) as ProcNode & { path: string };
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

export function procTree(facts: ProcFacts): Vnode {
  const text = (make: () => string) => (path: string) => new ProcText(facts, path, make);
  const self = String(facts.pid);
  const root: ProcDirectory = new ProcDirectory(
    facts,
    "",
    () =>
      new Map<string, (path: string) => ProcNode>([
        ["self", (path) => new ProcLink(facts, path, () => self)],
        ["thread-self", (path) => new ProcLink(facts, path, () => self)],
        [self, (path) => processDirectory(facts, path, root)],
        ["cpuinfo", text(() => cpuInfo(facts.cpus))],
        ["meminfo", text(() => `MemTotal:       ${String(Math.floor(facts.memoryBytes / 1024)).padStart(8)} kB\n`)],
        ["mounts", (path) => new ProcLink(facts, path, () => "self/mounts")],
      ]),
  );
  return root;
}

function processDirectory(facts: ProcFacts, path: string, parent: ProcDirectory): ProcDirectory {
  const place = (which: () => Place | undefined) => (at: string) => {
    const label = (): string => {
      const found = which() ?? fail(Errno.ENOENT);
      return facts.pathOf(found) ?? fail(Errno.ENOENT);
    };
    return new ProcLink(facts, at, label, which);
  };
  const text = (make: () => string) => (at: string) => new ProcText(facts, at, make);
  const directory: ProcDirectory = new ProcDirectory(
    facts,
    path,
    () =>
      new Map<string, (at: string) => ProcNode>([
        [
          "cmdline",
          text(() =>
            facts
              .argv()
              .map((arg) => `${arg}\0`)
              .join(""),
          ),
        ],
        ["comm", text(() => `${commandName(facts)}\n`)],
        ["cwd", place(facts.cwd)],
        ["exe", place(facts.executable)],
        ["fd", (at) => new ProcDirectory(facts, at, () => descriptorLinks(facts), directory)],
        ["mounts", text(() => "")],
        ["root", place(facts.root)],
        ["status", text(() => status(facts))],
      ]),
    parent,
  );
  return directory;
}

function descriptorLinks(facts: ProcFacts): Children {
  return new Map(
    facts.descriptors().map(({ fd, place, label }) => [
      String(fd),
      (path: string) =>
        new ProcLink(
          facts,
          path,
          () => label,
          () => place,
        ),
    ]),
  );
}

/** What the kernel calls the process: 15 bytes of the program's file name. */
function commandName(facts: ProcFacts): string {
  const place = facts.executable();
  const path = (place && facts.pathOf(place)) ?? "";
  return path.slice(path.lastIndexOf("/") + 1).slice(0, 15);
}

function status(facts: ProcFacts): string {
  const { uid, gid } = facts.owner;
  const four = (id: number): string => [id, id, id, id].join("\t");
  return [
    `Name:\t${commandName(facts)}`,
    `Tgid:\t${facts.pid}`,
    `Pid:\t${facts.pid}`,
    "TracerPid:\t0",
    `Uid:\t${four(uid)}`,
    `Gid:\t${four(gid)}`,
    "",
  ].join("\n");
}

/** As arch/riscv/kernel/cpu.c:c_show. */
function cpuInfo(cpus: number): string {
  const one = (index: number): string =>
    `processor\t: ${index}\nhart\t\t: ${index}\nisa\t\t: rv64imafdc_zicsr_zifencei\nmmu\t\t: sv39\n\n`;
  return Array.from({ length: cpus }, (_, index) => one(index)).join("");
}
