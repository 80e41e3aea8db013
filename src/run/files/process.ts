/** files/process.ts: one process's files, and what all processes share.
 *
 *     World  tree, objects, segments, waits      one a machine
 *       ├ State pid 100 ── DescriptorTable ─┬─> Description ─> Handle ...      descriptions are shared by fork,
 *       │        └──────── Directory        │                                  as positions and flags are (fork(2))
 *       └ State pid 104 ── DescriptorTable ─┘
 *                └──────── Directory {cwd, umask}
 *
 *  A table, and a Directory, counts the processes that share it (CLONE_FILES, CLONE_FS); the last to leave closes it.
 *  Linux     compare kernel/fork.c:copy_files, copy_fs; kernel/exit.c:exit_files; fs/exec.c:begin_new_exec */
import type { Description, DescriptorTable } from "./description.js";
import { Listeners } from "./handle.js";
import type { Locks } from "./locks.js";
import type { MemFs } from "./memfs.js";
import type { Objects } from "./objects.js";
import type { Namespace } from "./resolve.js";
import { type ProcessFacts, Stage } from "./service.js";
import type { Segments } from "./shm.js";
import type { Credentials, Mount, Place } from "./vnode.js";
import type { Waits } from "./waits.js";

export enum Clone {
  Fs = 0x200,
  Files = 0x400,
}

/** What all processes of the machine have in common. */
export interface World {
  readonly space: Namespace;
  readonly credentials: Credentials;
  readonly waits: Waits;
  readonly objects: Objects;
  /** Where objects without a name live. */
  readonly nowhere: Mount;
  /** The file system of files without a name: memfd, System V segments, shared /dev/zero. */
  readonly nameless: MemFs;
  readonly segments: Segments;
  readonly locks: Locks;
  /** Those that have not ended, by their ids. */
  readonly processes: Map<number, State>;
  /** Those that have, by their ids, as long as something is left of them, or a little longer. */
  readonly zombies: Map<number, State>;
  /** By CPU: what it read last without naming a position (HostCall.GiveBack). */
  readonly lastRead: Map<number, Description>;
  /** Told when a thread has ended, or a process was waited for. */
  readonly threadEnded: Listeners;
  /** What the machine knows of all these. */
  facts: ProcessFacts;
  /** The terminal's settings as a guest last set them; see ioctl.ts. */
  termios: Uint8Array;
  /** The process the machine began with: its group is what the terminal says of itself (TIOCGPGRP). */
  readonly firstPid: number;
  /** Who asked for what is being served now. */
  caller: { readonly pid: number; readonly tid: number };
}

/** Its files are gone a little before it is a zombie: until then it lives. */
export function stageOf(process: State): Stage {
  if (!process.hasEnded) return Stage.Live;
  const { world, pid } = process;
  return world.zombies.get(pid) === process ? (world.facts.stage?.(pid) ?? Stage.Gone) : Stage.Gone;
}

/** The process that has this id, a zombie too. */
export function processAt(world: World, pid: number): State | undefined {
  const zombie = world.zombies.get(pid);
  return world.processes.get(pid) ?? (zombie && stageOf(zombie) !== Stage.Gone ? zombie : undefined);
}

/** Working directory and umask: fs/fs_struct.c. */
export class Directory {
  private users = 1;

  constructor(
    private place: Place,
    public umask: number,
  ) {
    place.node.hold();
  }

  get cwd(): Place {
    return this.place;
  }

  set cwd(place: Place) {
    place.node.hold();
    this.place.node.letGo();
    this.place = place;
  }

  share(): this {
    this.users++;
    return this;
  }

  copy(): Directory {
    return new Directory(this.place, this.umask);
  }

  leave(): void {
    if (--this.users === 0) this.place.node.letGo();
  }
}

/** What a process runs. */
export interface Running {
  /** undefined: nothing yet. Held. */
  readonly place: Place | undefined;
  /** Byte strings. */
  readonly argv: readonly string[];
  /** First 15 bytes of the program's file name. */
  readonly name: string;
}

export class State {
  /** Open files this process is in the middle of a large read or write of (Description.holdFor). */
  readonly holding = new Set<Description>();
  /** Told when the process ends. */
  readonly ended = new Listeners();
  hasEnded = false;

  constructor(
    readonly world: World,
    readonly pid: number,
    private files: DescriptorTable,
    private readonly directory: Directory,
    private program: Running,
  ) {
    program.place?.node.hold();
  }

  get table(): DescriptorTable {
    return this.files;
  }
  get space(): Namespace {
    return this.world.space;
  }
  get credentials(): Credentials {
    return this.world.credentials;
  }
  get waits(): Waits {
    return this.world.waits;
  }
  get objects(): Objects {
    return this.world.objects;
  }
  get nowhere(): Mount {
    return this.world.nowhere;
  }
  get cwd(): Place {
    return this.directory.cwd;
  }
  set cwd(place: Place) {
    this.directory.cwd = place;
  }
  get umask(): number {
    return this.directory.umask;
  }
  set umask(bits: number) {
    this.directory.umask = bits;
  }
  get running(): Running {
    return this.program;
  }

  fork(pid: number, flags: number): State {
    const files = flags & Clone.Files ? this.files.share() : this.files.copy();
    const directory = flags & Clone.Fs ? this.directory.share() : this.directory.copy();
    return new State(this.world, pid, files, directory, this.program);
  }

  /** The process becomes another program. */
  exec(program: Running): void {
    this.letGo();
    if (this.files.isShared) {
      const own = this.files.copy();
      this.files.leave();
      this.files = own;
    }
    this.files.closeOnExec();
    program.place?.node.hold();
    this.program.place?.node.letGo();
    this.program = program;
  }

  /** `name`: what the process is called at its end. */
  exit(name = this.program.name): void {
    this.letGo();
    this.files.leave();
    this.directory.leave();
    this.program.place?.node.letGo();
    this.program = { place: undefined, argv: [], name };
    this.hasEnded = true;
    this.ended.tell();
  }

  /** Pieces that will not come any more: others may go on. */
  private letGo(): void {
    for (const description of this.holding) description.holdFor(undefined);
    this.holding.clear();
  }
}
