/** files/procpid.ts: /proc/PID, and /proc/PID/task/TID, which shows the same of a process except what is one thread's.
 *  A file whose facts the machine does not know is not there. Whoever asks may look at every process: all have one owner.
 *  A zombie has no memory, descriptors, program or directories any more.
 *  A directory opened while its process lived answers ENOENT afterwards, its open texts stay as they were.
 *  Linux     compare fs/proc/base.c:tgid_base_stuff, tid_base_stuff, proc_pid_cmdline_ops, mem_rw */
import { Errno } from "../../core/abi/errno.js";
import { fail } from "./fail.js";
import { Mode } from "./linux.js";
import type { ProcSource } from "./proc.js";
import type { State } from "./process.js";
import { type Children, ProcDirectory, ProcHandle, ProcLink, ProcNode, ProcText } from "./procnode.js";
import { mapsText, statmText, statText, statusText } from "./proctext.js";
import { labelOf, shownPath } from "./shown.js";
import type { Credentials, Place } from "./vnode.js";

/** `tid`: one thread's directory; undefined: the process's. */
export function processDirectory(
  source: ProcSource,
  path: string,
  pid: number,
  tid: number | undefined,
  parent: ProcDirectory,
): ProcDirectory {
  const { owner, world } = source;
  const state = (): State => source.process(pid) ?? fail(Errno.ENOENT);
  /** undefined: a zombie. */
  const live = (): State | undefined => (state().hasEnded ? undefined : state());
  const text = (make: () => string) => (at: string) => new ProcText(owner, at, make);
  const place = (which: () => Place | undefined) => (at: string) => {
    const label = (): string => shownPath(world, which() ?? fail(Errno.ENOENT));
    return new ProcLink(owner, at, label, which);
  };
  const list = (): Children => {
    const facts = source.facts();
    const children = new Map<string, (at: string) => ProcNode>([
      [
        "cmdline",
        text(() =>
          state()
            .running.argv.map((arg) => `${arg}\0`)
            .join(""),
        ),
      ],
      ["comm", text(() => `${commOf(source, state(), tid)}\n`)],
      ["cwd", place(() => live()?.cwd)],
      ["exe", place(() => live()?.running.place)],
      ["fd", (at) => new ProcDirectory(owner, at, () => descriptorLinks(live()), directory)],
      ["mounts", text(() => (live() ? "" : fail(Errno.EINVAL)))],
      ["root", place(() => live() && world.space.root)],
      ["status", text(() => statusText(factsOf(source, state(), tid)))],
    ]);
    if (facts.maps)
      children.set(
        "maps",
        text(() => mapsText(world, facts.maps?.(pid) ?? [])),
      );
    if (facts.usage) {
      children.set(
        "stat",
        text(() => statText(factsOf(source, state(), tid))),
      );
      children.set(
        "statm",
        text(() => statmText(facts.usage?.(pid))),
      );
      children.set("mem", (at) => new ProcMemory(owner, at, live));
    }
    if (tid === undefined) children.set("task", (at) => taskDirectory(source, at, pid, directory));
    return children;
  };
  const directory: ProcDirectory = new ProcDirectory(
    owner,
    path,
    () => (source.process(pid) ? list() : NOTHING),
    parent,
  );
  return directory;
}

const NOTHING: Children = new Map();

function taskDirectory(source: ProcSource, path: string, pid: number, parent: ProcDirectory): ProcDirectory {
  const tids = (): readonly number[] => (source.process(pid) ? threadsOf(source, pid) : []);
  const directory: ProcDirectory = new ProcDirectory(
    source.owner,
    path,
    () => new Map(tids().map((tid) => [String(tid), (at) => processDirectory(source, at, pid, tid, directory)])),
    parent,
  );
  return directory;
}

/** Known without the machine: the first thread, and the one that asks. */
function threadsOf(source: ProcSource, pid: number): readonly number[] {
  const { caller } = source.world;
  if (source.process(pid)?.hasEnded) return [pid];
  return source.facts().threads?.(pid) ?? [...new Set(caller.pid === pid ? [pid, caller.tid] : [pid])];
}

const commOf = (source: ProcSource, { pid, running }: State, tid = pid): string =>
  source.facts().name?.(tid) ?? running.name;

function factsOf(source: ProcSource, state: State, tid = state.pid) {
  const { pid, umask } = state;
  const facts = source.facts();
  return {
    pid,
    tid,
    umask: state.hasEnded ? undefined : umask,
    owner: source.owner,
    name: commOf(source, state, tid),
    state: source.world.caller.tid === tid ? "R" : (facts.state?.(tid) ?? "S"),
    parent: facts.parent?.(pid) ?? 0,
    threads: threadsOf(source, pid).length,
    usage: facts.usage?.(pid),
  };
}

function descriptorLinks(state: State | undefined): Children {
  if (!state) return NOTHING;
  return new Map(
    state.table.numbers().map((fd) => {
      const { place, handle } = state.table.get(fd);
      const label = (): string => labelOf(state.world, place, handle);
      return [String(fd), (path: string) => new ProcLink(state.credentials, path, label, () => place)];
    }),
  );
}

/** The memory of a process as a file: the machine moves its bytes (Special.HostMem). */
class ProcMemory extends ProcNode {
  constructor(
    owner: Credentials,
    path: string,
    private readonly live: () => State | undefined,
  ) {
    super(owner, path, Mode.Regular | 0o600);
  }
  override get leadsElsewhere(): boolean {
    return true;
  }
  override open(): ProcHandle {
    return new MemoryHandle(this, (this.live() ?? fail(Errno.ESRCH)).pid);
  }
}

export class MemoryHandle extends ProcHandle {
  constructor(
    node: ProcNode,
    readonly pid: number,
  ) {
    super(node, new Uint8Array(0));
  }
}
