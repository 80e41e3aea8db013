/** files/proctext.ts: the texts of /proc/PID, in Linux's format. A line of status about memory is there when its figure is.
 *  Linux     compare fs/proc/array.c:proc_pid_status, do_task_stat; fs/proc/task_mmu.c:show_map_vma, task_mem */
import { majorOf, minorOf } from "./linux.js";
import type { World } from "./process.js";
import type { UsageFact, VmaFact } from "./service.js";
import { labelOf } from "./shown.js";
import type { Credentials } from "./vnode.js";

const PAGE = 4096;
/** Where a map's name begins: 25 + 6 * sizeof(long) columns, and a space. */
const NAME_COLUMN = 72;
/** The device of shared memory without a file: 00:01, as the first file system without a disk. */
const SHARED_MEMORY = 1n;

export interface PidFacts {
  readonly pid: number;
  readonly tid: number;
  /** undefined: of a zombie. */
  readonly umask: number | undefined;
  readonly owner: Credentials;
  readonly name: string;
  readonly state: string;
  readonly parent: number;
  readonly threads: number;
  readonly usage: UsageFact | undefined;
}

const STATES: Readonly<Record<string, string>> = {
  R: "running",
  S: "sleeping",
  D: "disk sleep",
  T: "stopped",
  Z: "zombie",
};

export function statusText({ pid, tid, umask, owner, name, state, parent, threads, usage }: PidFacts): string {
  const four = (id: number): string => [id, id, id, id].join("\t");
  const kib = (label: string, bytes: number | undefined): string[] =>
    bytes === undefined ? [] : [`${label}:\t${String(Math.floor(bytes / 1024)).padStart(8)} kB`];
  const memory = usage && [
    ...kib("VmPeak", usage.peak),
    ...kib("VmSize", usage.size),
    ...kib("VmLck", usage.locked),
    ...kib("VmHWM", usage.residentPeak),
    ...kib("VmRSS", usage.resident),
    ...kib("RssAnon", usage.residentAnon),
    ...kib("RssFile", usage.residentFile),
    ...kib("RssShmem", usage.residentShared),
    ...kib("VmData", usage.data),
    ...kib("VmStk", usage.stack),
    ...kib("VmExe", usage.code),
    ...kib("VmPTE", usage.tables),
    ...kib("VmSwap", usage.swapped),
  ];
  return [
    `Name:\t${escaped(name, "\n\\")}`,
    ...(umask === undefined ? [] : [`Umask:\t${umask.toString(8).padStart(4, "0")}`]),
    `State:\t${state} (${STATES[state] ?? "unknown"})`,
    `Tgid:\t${pid}`,
    "Ngid:\t0",
    `Pid:\t${tid}`,
    `PPid:\t${parent}`,
    "TracerPid:\t0",
    `Uid:\t${four(owner.uid)}`,
    `Gid:\t${four(owner.gid)}`,
    ...(memory ?? []),
    `Threads:\t${threads}`,
    "",
  ].join("\n");
}

/** Pages: size resident shared text library data dirty. */
export function statmText(usage: UsageFact | undefined): string {
  if (!usage) return "0 0 0 0 0 0 0\n";
  const shared = (usage.residentFile ?? 0) + (usage.residentShared ?? 0);
  const bytes = [usage.size, usage.resident, shared, usage.code, 0, usage.data + usage.stack, 0];
  return `${bytes.map((count) => Math.ceil(count / PAGE)).join(" ")}\n`;
}

/** 52 fields; what is not kept here (times, faults, addresses) is 0, as Linux shows it to whoever may not look. */
export function statText({ tid, name, state, parent, threads, usage }: PidFacts): string {
  const fields: Array<string | number> = new Array(52).fill(0);
  const set = (index: number, value: string | number): void => {
    fields[index - 1] = value;
  };
  set(1, tid);
  set(2, `(${name})`);
  set(3, state);
  set(4, parent);
  set(8, -1);
  set(18, 20);
  set(20, threads);
  set(23, usage?.size ?? 0);
  set(24, Math.ceil((usage?.resident ?? 0) / PAGE));
  set(25, "18446744073709551615");
  set(38, 17);
  return `${fields.join(" ")}\n`;
}

export function mapsText(world: World, vmas: readonly VmaFact[]): string {
  return vmas.map((vma) => mapLine(world, vma)).join("");
}

function mapLine(world: World, { start, end, flags, object, inode, offset, name }: VmaFact): string {
  const hex = (value: bigint): string => value.toString(16).padStart(8, "0");
  const bit = (mask: number, letter: string): string => (flags & mask ? letter : "-");
  const file = object === 0 ? undefined : world.objects.find(object);
  const unnamed = inode === undefined ? { dev: 0n, ino: 0n } : { dev: SHARED_MEMORY, ino: BigInt(inode) };
  const { dev, ino } = file?.handle.stat() ?? unnamed;
  const two = (value: bigint): string => value.toString(16).padStart(2, "0");
  const access = `${bit(1, "r")}${bit(2, "w")}${bit(4, "x")}${flags & 8 ? "s" : "p"}`;
  const header = `${hex(start)}-${hex(end)} ${access} ${hex(offset)} ${two(majorOf(dev))}:${two(minorOf(dev))} ${ino} `;
  const shown = name || (file ? labelOf(world, file.place, file.handle) : "");
  return shown === "" ? `${header}\n` : `${header.padEnd(NAME_COLUMN)} ${escaped(shown, "\n")}\n`;
}

/** Each of these characters as a backslash and three octal digits (fs/seq_file.c:mangle_path). */
function escaped(text: string, characters: string): string {
  return [...text]
    .map((one) => (characters.includes(one) ? `\\${one.charCodeAt(0).toString(8).padStart(3, "0")}` : one))
    .join("");
}
