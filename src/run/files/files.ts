/** files/files.ts: the file side of all guest processes: their tree, their descriptors, and the one door to them.
 *  Runs on the main thread. A request is served whole before the next, so nothing here is locked; one that must wait gives
 *  the thread back and is tried again when what it waits for has changed (waits.ts).
 *
 *  The tree    with a root directory: that; else in memory, with /tmp and the program at its own path.
 *              Over it /dev and /proc, and every directory that was given. */
import { Errno } from "../../core/abi/errno.js";
import { fromText } from "./bytes.js";
import { Call } from "./call.js";
import { DescriptorTable } from "./description.js";
import { deviceTree } from "./devices.js";
import { Fail, fail } from "./fail.js";
import { punchObject } from "./fallocate.js";
import { type Handle, Listeners } from "./handle.js";
import type { HostFs, HostStdio } from "./host.js";
import { HostTree } from "./hostdir.js";
import { HostPaths } from "./hostpaths.js";
import { freshTermios } from "./ioctl.js";
import { Open } from "./linux.js";
import { Locks } from "./locks.js";
import { mapObject } from "./map.js";
import { MemFs } from "./memfs.js";
import { type Bind, Mounts } from "./mounts.js";
import { Objects } from "./objects.js";
import { nameless } from "./open.js";
import { openPidfd, processOf } from "./pidfd.js";
import { type ProcSource, procTree } from "./proc.js";
import { Directory, processAt, State, type World } from "./process.js";
import { execFiles, openImage, openProgram, runningAt } from "./program.js";
import { Namespace } from "./resolve.js";
import {
  type FileRequest,
  type FileService,
  HostCall,
  type MachineSide,
  type Program,
  ProgramError,
  Stage,
} from "./service.js";
import { Segments, shmAt, shmDt } from "./shm.js";
import { stdioHandle } from "./stdio.js";
import { giveBack } from "./transfer.js";
import { verbOf } from "./verbs.js";
import type { Credentials, Place } from "./vnode.js";
import { Waits } from "./waits.js";

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

const ROOT_MINOR = 1;
const DEVICES_MINOR = 2;
const NAMELESS_MINOR = 3;
const FREE_MINOR = 4;

export class Files implements FileService {
  private readonly world: World;
  private readonly processes = new Map<number, State>();
  private readonly mounts: Mounts;

  constructor(private readonly options: FilesOptions) {
    const { owner, host, root, umask, pid } = options;
    const memory = new MemFs(ROOT_MINOR, owner);
    const paths = new HostPaths(host);
    const space = new Namespace(root === undefined ? memory.root : new HostTree(paths, root).root, owner);
    this.world = {
      space,
      credentials: owner,
      waits: new Waits(),
      objects: new Objects(),
      nowhere: { root: memory.root, readOnly: false },
      nameless: new MemFs(NAMELESS_MINOR, owner),
      segments: new Segments(),
      locks: new Locks(),
      processes: this.processes,
      zombies: new Map(),
      lastRead: new Map(),
      threadEnded: new Listeners(),
      facts: {},
      termios: freshTermios(),
      firstPid: pid,
      caller: { pid, tid: pid },
    };
    if (root === undefined) memory.root.mkdir("tmp", 0o1777, owner);
    this.mounts = new Mounts(space, paths, owner, FREE_MINOR);
    space.mount(space.root, "dev", deviceTree(DEVICES_MINOR, owner, () => this.terminal()).root, false);
    space.mount(space.root, "proc", procTree(this.procSource()), true);
    // Outer directories first: an inner one shows through whatever order they were given in.
    const byDepth = [...options.binds].sort((a, b) => a.guest.split("/").length - b.guest.split("/").length);
    for (const bind of byDepth) this.mounts.addBind(bind);
    const table = new DescriptorTable(options.descriptorLimit ?? 1024, (description, owner) =>
      this.world.locks.closed(description, owner),
    );
    const directory = new Directory(this.startDirectory(options.cwd), umask);
    const running = { place: undefined, argv: options.argv, name: "" };
    this.processes.set(pid, new State(this.world, pid, table, directory, running));
    this.addStdio(table);
  }

  connect({ cache, facts }: MachineSide): void {
    this.world.objects.cache = cache;
    this.world.facts = facts ?? {};
  }

  private addStdio(table: DescriptorTable): void {
    this.options.stdio.forEach((stdio, fd) => {
      if (!stdio) return;
      const handle = stdioHandle(this.options.host, stdio);
      const kept = Open.AccessMask | Open.Append | Open.LargeFile;
      table.replace(fd, nameless(this.world, handle, stdio.flags & kept), false);
    });
  }

  /** The first of the caller's descriptors that is a terminal. */
  private terminal(): Handle | undefined {
    const { table } = this.stateOf(this.world.caller.pid);
    for (const fd of table.numbers()) {
      const { handle } = table.get(fd);
      if (handle.terminal) return handle.retain();
    }
    return undefined;
  }

  private procSource(): ProcSource {
    const { owner, memoryBytes, cpus } = this.options;
    return {
      world: this.world,
      owner,
      memoryBytes,
      cpus,
      pids: () => [...this.processes.keys(), ...this.world.zombies.keys()].filter((pid) => processAt(this.world, pid)),
      process: (pid) => processAt(this.world, pid),
      facts: () => this.world.facts,
    };
  }

  private startDirectory(path: string): Place {
    const { space } = this.world;
    try {
      const place = space.lookup(space.root, path);
      space.mayEnter(place);
      return place;
    } catch (error) {
      if (error instanceof Fail) return space.root;
      throw error;
    }
  }

  private stateOf(pid: number): State {
    return this.processes.get(pid) ?? fail(Errno.ESRCH);
  }

  async openProgram(name: string): Promise<Program> {
    const { options } = this;
    const { space } = this.world;
    const state = this.stateOf(options.pid);
    try {
      let path = fromText(name);
      if (options.root === undefined) {
        const found = options.findProgram(name);
        this.mounts.addProgram(found);
        path = found.guest;
      }
      const place = space.lookup(state.cwd, path);
      return openImage(state, place, (handle, object) => {
        state.exec(runningAt(space, place, options.argv));
        const size = Number(handle.stat().size);
        const readHead = async (length: number): Promise<Uint8Array> => {
          const bytes = new Uint8Array(Math.min(length, size));
          return bytes.subarray(0, Math.max(0, this.world.objects.get(object).handle.read(bytes, 0)));
        };
        return { object, size, path: space.pathOf(place) ?? path, readHead };
      });
    } catch (error) {
      if (!(error instanceof Fail)) throw error;
      throw new ProgramError(`${name}: ${REASONS.get(error.errno) ?? Errno[error.errno]}`);
    }
  }

  handle(request: FileRequest): number | Promise<number> {
    const call = new Call(request);
    const pid = request.pid ?? this.options.pid;
    this.world.caller = { pid, tid: request.tid };
    try {
      if (request.nr >= HostCall.MapObject) return this.hostCall(pid, call);
      const verb = verbOf(request.nr);
      return verb ? verb(this.stateOf(pid), call) : -Errno.ENOSYS;
    } catch (error) {
      if (error instanceof Fail) return -error.errno;
      throw error;
    }
  }

  /** Those about an object are answered after its process has ended too. */
  private hostCall(pid: number, call: Call): number {
    const { objects } = this.world;
    switch (call.request.nr) {
      case HostCall.ReleaseObject:
        return this.release(call.uint(0));
      case HostCall.ReadPages:
        return objects.readPages(call);
      case HostCall.WritePages:
        return objects.writePages(call);
      case HostCall.PunchObject:
        return punchObject(objects, call);
      case HostCall.MapObject:
        return mapObject(this.stateOf(pid), call);
      case HostCall.ForkFiles:
        return this.fork(this.stateOf(pid), call.int(0), call.uint(1));
      case HostCall.ExitFiles:
        return this.exit(call.int(0));
      case HostCall.OpenProgram:
        return openProgram(this.stateOf(pid), call);
      case HostCall.ExecFiles:
        return execFiles(this.stateOf(pid), call);
      case HostCall.ProcessOf:
        return processOf(this.stateOf(pid), call);
      case HostCall.OpenPidfd:
        return openPidfd(this.stateOf(pid), call);
      case HostCall.GiveBack:
        return giveBack(this.stateOf(pid), call);
      case HostCall.ShmAt:
        return shmAt(this.stateOf(pid), call);
      case HostCall.ShmDt:
        return shmDt(this.stateOf(pid), call);
    }
    return -Errno.ENOSYS;
  }

  private release(id: number): number {
    const result = this.world.objects.release(id);
    if (result === 0) this.world.segments.unmapped(id);
    return result;
  }

  private fork(parent: State, pid: number, flags: number): number {
    if (this.processes.has(pid)) fail(Errno.EEXIST);
    this.processes.set(pid, parent.fork(pid, flags));
    this.world.zombies.delete(pid);
    return 0;
  }

  private exit(pid: number): number {
    const state = this.stateOf(pid);
    const { facts, zombies } = this.world;
    for (const id of zombies.keys()) if ((facts.stage?.(id) ?? Stage.Gone) === Stage.Gone) zombies.delete(id);
    zombies.set(pid, state);
    this.processes.delete(pid);
    state.exit(facts.name?.(pid));
    return 0;
  }

  cancel(cpu: number): void {
    this.world.waits.cancel(cpu);
  }

  threadEnded(): void {
    this.world.threadEnded.tell();
  }

  async close(): Promise<void> {
    this.world.waits.cancelAll();
    await Promise.all(
      this.options.stdio.map((stdio) => (stdio?.kind === "stream" ? stdio.stream.drained() : undefined)),
    );
    this.world.objects.dropAll();
    this.world.segments.releaseAll();
    for (const pid of [...this.processes.keys()]) this.exit(pid);
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
