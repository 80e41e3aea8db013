/** files/files.ts: the file side of one guest process: its tree, its descriptors, and the one door to them.
 *  Runs on the main thread. A request is served whole before the next, so nothing here is locked; one that must wait gives
 *  the thread back and is tried again when what it waits for has changed (waits.ts).
 *
 *  The tree    with a root directory: that; else in memory, with /tmp and the program at its own path.
 *              Over it /dev and /proc, and every directory that was given. */
import { Errno } from "../../core/abi/errno.js";
import { fromText, toText } from "./bytes.js";
import { Call, type State } from "./call.js";
import { DescriptorTable } from "./description.js";
import { deviceTree } from "./devices.js";
import { Fail, fail } from "./fail.js";
import type { Handle } from "./handle.js";
import type { HostFs, HostStdio } from "./host.js";
import { HostTree } from "./hostdir.js";
import { HostPaths } from "./hostpaths.js";
import { freshTermios } from "./ioctl.js";
import { Access, Mode, Open } from "./linux.js";
import { MemDirectory } from "./memdir.js";
import { MemFs } from "./memfs.js";
import { MappedObjects } from "./objects.js";
import { nameless, open } from "./open.js";
import { procTree } from "./proc.js";
import { Namespace } from "./resolve.js";
import { type FileRequest, type FileService, HostCall, type Program, ProgramError } from "./service.js";
import type { Stat } from "./stat.js";
import { stdioHandle } from "./stdio.js";
import { verbOf } from "./verbs.js";
import type { Credentials, Place } from "./vnode.js";
import { Waits } from "./waits.js";

/** A host directory for the guest. Host paths are absolute with links resolved; all are byte strings (bytes.ts). */
export interface Bind {
  readonly host: string;
  readonly guest: string;
  readonly readOnly: boolean;
}

export interface FilesOptions {
  readonly host: HostFs;
  /** The guest's descriptors 0, 1 and 2; undefined: closed. */
  readonly stdio: ReadonlyArray<HostStdio | undefined>;
  /** Host directory that is the guest's `/`; undefined: `/` is in memory. */
  readonly root?: string | undefined;
  readonly binds: readonly Bind[];
  /** The guest's working directory, if it is there; else `/`. */
  readonly cwd: string;
  readonly owner: Credentials;
  readonly umask: number;
  readonly pid: number;
  readonly argv: readonly string[];
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Where a program's name on the command line is on the host, links resolved, and the guest's path for it; only
   *  without a root directory. Throws ProgramError. */
  readonly findProgram: (name: string) => { readonly host: string; readonly guest: string };
  readonly descriptorLimit?: number;
}

/** A directory that cannot be given to the guest; the message is a whole line. */
export class BindError extends Error {}

const ROOT_MINOR = 1;
const DEVICES_MINOR = 2;

export class Files implements FileService {
  private readonly state: State;
  private readonly objects = new MappedObjects();
  private readonly memory: MemFs;
  private readonly paths: HostPaths;
  private executable: Place | undefined;
  private nextMinor = DEVICES_MINOR + 1;

  constructor(private readonly options: FilesOptions) {
    const { owner, host, root, umask, pid } = options;
    this.memory = new MemFs(ROOT_MINOR, owner);
    this.paths = new HostPaths(host);
    const space = new Namespace(root === undefined ? this.memory.root : new HostTree(this.paths, root).root, owner);
    const nowhere = { root: this.memory.root, readOnly: false };
    const table = new DescriptorTable(options.descriptorLimit ?? 1024);
    const termios = freshTermios();
    const waits = new Waits();
    this.state = { table, space, credentials: owner, waits, nowhere, pid, cwd: space.root, umask, termios };
    if (root === undefined) this.addTemporary();
    this.addStdio();
    space.mount(space.root, "dev", deviceTree(DEVICES_MINOR, owner, () => this.terminal()).root, false);
    space.mount(space.root, "proc", procTree(this.facts()), true);
    // Outer directories first: an inner one shows through whatever order they were given in.
    const byDepth = [...options.binds].sort((a, b) => a.guest.split("/").length - b.guest.split("/").length);
    for (const bind of byDepth) this.addBind(bind);
    this.state.cwd = this.startDirectory(options.cwd);
    this.state.cwd.node.hold();
  }

  private addTemporary(): void {
    this.memory.root.mkdir("tmp", 0o1777, this.options.owner);
  }

  private addStdio(): void {
    const { table, nowhere } = this.state;
    this.options.stdio.forEach((stdio, fd) => {
      if (!stdio) return;
      const handle = stdioHandle(this.options.host, stdio);
      const kept = Open.AccessMask | Open.Append | Open.LargeFile;
      table.replace(fd, nameless({ nowhere }, handle, stdio.flags & kept), false);
    });
  }

  /** The first of stdin, stdout, stderr that is a terminal. */
  private terminal(): Handle | undefined {
    for (const fd of this.state.table.numbers()) {
      const { handle } = this.state.table.get(fd);
      if (handle.terminal) return handle.retain();
    }
    return undefined;
  }

  private facts(): Parameters<typeof procTree>[0] {
    const { pid, owner, memoryBytes, cpus, argv } = this.options;
    const { space } = this.state;
    return {
      pid,
      owner,
      memoryBytes,
      cpus,
      argv: () => argv,
      executable: () => this.executable,
      cwd: () => this.state.cwd,
      root: () => space.root,
      pathOf: (place) => space.pathOf(place),
      descriptors: () =>
        this.state.table.numbers().map((fd) => {
          const { place, handle } = this.state.table.get(fd);
          return { fd, place, label: this.labelOf(place, handle) };
        }),
    };
  }

  private labelOf(place: Place, handle: Handle): string {
    if (place.mount !== this.state.nowhere) return this.state.space.pathOf(place) ?? "(deleted)";
    const { mode, ino } = handle.stat();
    const kinds = new Map([
      [Mode.Fifo, "pipe"],
      [Mode.Socket, "socket"],
    ]);
    const kind = kinds.get(mode & Mode.TypeMask);
    if (kind) return `${kind}:[${ino}]`;
    return handle.terminal ? "/dev/tty" : `anon_inode:[${ino}]`;
  }

  private addBind({ host, guest, readOnly }: Bind): void {
    const names = guest.split("/").filter(Boolean);
    const name = names.pop();
    if (!guest.startsWith("/") || name === undefined || name === "." || name === "..") {
      throw new BindError(
        `cannot mount ${toText(host)} at "${toText(guest)}": the guest path must be absolute and not /`,
      );
    }
    try {
      const tree = new HostTree(this.paths, host === "/" ? "" : host);
      this.state.space.mount(this.makeDirectories(names), name, tree.root, readOnly);
    } catch (error) {
      if (!(error instanceof Fail)) throw error;
      throw new BindError(`cannot mount ${toText(host)} at ${toText(guest)}: ${Errno[error.errno]}`);
    }
  }

  /** The directory of a mount point. Missing ones are made in memory; a directory of the host is not written to, but gets
   *  one in memory mounted at the name. */
  private makeDirectories(names: readonly string[]): Place {
    const { space, credentials } = this.state;
    let at = space.root;
    for (const name of names) {
      if (!space.walk(at, name, { follow: true }).place) {
        if (at.node instanceof MemDirectory) at.node.mkdir(name, 0o755, credentials);
        else space.mount(at, name, new MemFs(this.nextMinor++, credentials).root, true);
      }
      at = space.lookup(at, name);
    }
    space.mayEnter(at);
    return at;
  }

  private startDirectory(path: string): Place {
    try {
      const place = this.state.space.lookup(this.state.space.root, path);
      this.state.space.mayEnter(place);
      return place;
    } catch (error) {
      if (error instanceof Fail) return this.state.space.root;
      throw error;
    }
  }

  async openProgram(name: string): Promise<Program> {
    const { space, credentials } = this.state;
    try {
      const path = this.options.root === undefined ? this.bindProgram(name) : fromText(name);
      const place = space.lookup(this.state.cwd, path);
      if (place.node.type !== Mode.Regular) fail(Errno.EACCES);
      place.node.access(Access.Exec, credentials);
      const { handle } = open(this.state, this.state.cwd, path, Open.ReadOnly, 0);
      place.node.hold();
      this.executable = place;
      const size = Number(handle.stat().size);
      const object = this.objects.add(handle);
      const readHead = async (length: number): Promise<Uint8Array> => {
        const bytes = new Uint8Array(Math.min(length, size));
        return bytes.subarray(0, Math.max(0, handle.read(bytes, 0)));
      };
      return { object, size, path: space.pathOf(place) ?? path, readHead };
    } catch (error) {
      if (!(error instanceof Fail)) throw error;
      throw new ProgramError(`${name}: ${REASONS.get(error.errno) ?? Errno[error.errno]}`);
    }
  }

  /** Makes the program visible at its own path, read-only, unless a given directory shows it there already. */
  private bindProgram(name: string): string {
    const { host, guest } = this.options.findProgram(name);
    const { space } = this.state;
    const names = guest.split("/").filter(Boolean);
    const last = names.pop() ?? fail(Errno.EACCES);
    const tree = new HostTree(this.paths, host);
    const parent = this.makeDirectories(names);
    const shown = this.statIfAny(parent, last);
    const real = tree.root.stat();
    if (!shown || shown.ino !== real.ino || shown.dev !== real.dev) space.mount(parent, last, tree.root, true);
    return guest;
  }

  private statIfAny(parent: Place, name: string): Stat | undefined {
    try {
      return this.state.space.lookup(parent, name).node.stat();
    } catch (error) {
      if (error instanceof Fail) return undefined;
      throw error;
    }
  }

  handle(request: FileRequest): number | Promise<number> {
    const call = new Call(request);
    try {
      switch (request.nr) {
        case HostCall.MapObject:
          return this.objects.map(this.state, call);
        case HostCall.ReadPage:
          return this.objects.readPage(call);
        case HostCall.ReleaseObject:
          return this.objects.release(call.uint(0));
      }
      const verb = verbOf(request.nr);
      return verb ? verb(this.state, call) : -Errno.ENOSYS;
    } catch (error) {
      if (error instanceof Fail) return -error.errno;
      throw error;
    }
  }

  cancel(cpu: number): void {
    this.state.waits.cancel(cpu);
  }

  async close(): Promise<void> {
    this.state.waits.cancelAll();
    await Promise.all(
      this.options.stdio.map((stdio) => (stdio?.kind === "stream" ? stdio.stream.drained() : undefined)),
    );
    this.objects.releaseAll();
    for (const fd of this.state.table.numbers()) this.state.table.close(fd);
  }
}

/** errno(3) as strerror says it, for what opening a program gives. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [Errno.ENOENT, "No such file or directory"],
  [Errno.EACCES, "Permission denied"],
  [Errno.ENOTDIR, "Not a directory"],
  [Errno.EISDIR, "Is a directory"],
  [Errno.ELOOP, "Too many levels of symbolic links"],
  [Errno.ENAMETOOLONG, "File name too long"],
]);
