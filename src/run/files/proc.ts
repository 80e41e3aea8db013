/** files/proc.ts: /proc, the little of it that is true here: a directory for each process (procpid.ts), zombies too, and what the
 *  machine is. What is not known (load, other file systems) is absent, not invented. `self` is whoever asks. */
import type { State, World } from "./process.js";
import { ProcDirectory, ProcLink, type ProcNode, ProcText } from "./procnode.js";
import { processDirectory } from "./procpid.js";
import type { ProcessFacts } from "./service.js";
import type { Credentials, Vnode } from "./vnode.js";

/** Where /proc asks; each asked when it is read. */
export interface ProcSource {
  readonly world: World;
  readonly owner: Credentials;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly pids: () => readonly number[];
  readonly process: (pid: number) => State | undefined;
  readonly facts: () => ProcessFacts;
}

/** /proc/sys/vm: the heuristic of overcommit, and what core/mm/space.ts holds to. */
const VM = { max_map_count: 65530, mmap_min_addr: 65536, overcommit_memory: 0, overcommit_ratio: 50 };

export function procTree(source: ProcSource): Vnode {
  const { owner, world } = source;
  const text = (make: () => string) => (path: string) => new ProcText(owner, path, make);
  const link = (make: () => string) => (path: string) => new ProcLink(owner, path, make);
  const folder =
    (...inside: (readonly [string, (path: string) => ProcNode])[]) =>
    (path: string) =>
      new ProcDirectory(owner, path, () => new Map(inside));
  const root: ProcDirectory = new ProcDirectory(owner, "", () => {
    const children = new Map<string, (path: string) => ProcNode>([
      ["self", link(() => String(world.caller.pid))],
      ["thread-self", link(() => `${world.caller.pid}/task/${world.caller.tid}`)],
      ["cpuinfo", text(() => cpuInfo(source.cpus))],
      ["meminfo", text(() => `MemTotal:       ${String(Math.floor(source.memoryBytes / 1024)).padStart(8)} kB\n`)],
      ["mounts", link(() => "self/mounts")],
      ["sys", folder(["vm", folder(...Object.entries(VM).map(([name, n]) => [name, text(() => `${n}\n`)] as const))])],
    ]);
    for (const pid of source.pids()) {
      children.set(String(pid), (path) => processDirectory(source, path, pid, undefined, root));
    }
    return children;
  });
  return root;
}

/** As arch/riscv/kernel/cpu.c:c_show. */
function cpuInfo(cpus: number): string {
  const one = (index: number): string =>
    `processor\t: ${index}\nhart\t\t: ${index}\nisa\t\t: rv64imafdc_zicsr_zifencei\nmmu\t\t: sv39\n\n`;
  return Array.from({ length: cpus }, (_, index) => one(index)).join("");
}
