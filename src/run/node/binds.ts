/** node/binds.ts: from the command line's words to the guest's files: `--root DIR`, `--dir HOST[:GUEST[:ro]]`, PROGRAM. */
import fs from "node:fs";
import path from "node:path";
import { Errno } from "../../core/abi/errno.js";
import { fromText, toText } from "../files/bytes.js";
import { fail } from "../files/fail.js";
import { type Bind, BindError, Files } from "../files/files.js";
import type { FileService } from "../files/service.js";
import { nodeHostFs, toErrno } from "./hostfs.js";
import { nodeStdio } from "./stdio.js";

export interface NodeFilesOptions {
  readonly root?: string | undefined;
  /** As typed: HOST[:GUEST[:ro]]. */
  readonly dirs: readonly string[];
  /** argv of the guest, argv[0] as typed. */
  readonly argv: readonly string[];
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** The guest's files on this host. Throws BindError, whose message is a line for the user. */
export function nodeFiles({ root, dirs, argv, cpus, memoryBytes }: NodeFilesOptions): FileService {
  const rootPath = root === undefined ? undefined : realDirectory(root);
  const binds = dirs.map(parseBind);
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const where = { host: nodeHostFs, stdio: nodeStdio(), binds, owner, umask: process.umask(), pid: process.pid };
  const cwd = guestDirectory(process.cwd(), rootPath, binds);
  const facts = { cwd, argv: argv.map(fromText), cpus, memoryBytes, findProgram };
  return new Files({ ...where, ...facts, root: rootPath === "/" ? "" : rootPath });
}

/** HOST[:GUEST[:ro]]; HOST alone appears at its own absolute path. */
export function parseBind(text: string): Bind {
  const [host = "", guest, mode, ...rest] = text.split(":");
  if (host === "" || rest.length > 0 || (mode !== undefined && mode !== "ro")) {
    throw new BindError(`--dir ${text}: expected HOST[:GUEST[:ro]]`);
  }
  if (guest !== undefined && !guest.startsWith("/")) {
    throw new BindError(`--dir ${text}: the guest path must be absolute`);
  }
  const at = path.posix.normalize(guest ?? path.resolve(host)).replace(/(.)\/$/, "$1");
  return { host: realDirectory(host), guest: fromText(at), readOnly: mode === "ro" };
}

/** An existing directory's absolute path, links resolved, as a byte string. */
function realDirectory(name: string): string {
  let real: string;
  try {
    real = fs.realpathSync(path.resolve(name));
    if (!fs.statSync(real).isDirectory()) throw Object.assign(new Error(), { code: "ENOTDIR" });
  } catch (error) {
    throw new BindError(`${name}: ${Errno[toErrno(error)]}: cannot be given to the guest`);
  }
  return fromText(real);
}

/** Where the guest sees a host directory; "/" when it does not. The most specific directory given decides. */
function guestDirectory(name: string, root: string | undefined, binds: readonly Bind[]): string {
  const here = fromText(fs.realpathSync(name));
  const trees = [...binds, ...(root === undefined ? [] : [{ host: root, guest: "", readOnly: false }])];
  const inside = trees.filter(({ host }) => here === host || here.startsWith(host === "/" ? "/" : `${host}/`));
  const best = inside.sort((a, b) => b.host.length - a.host.length)[0];
  if (!best) return "/";
  return `${best.guest}/${here.slice(best.host.length)}`;
}

function findProgram(name: string): { host: string; guest: string } {
  try {
    const guest = path.resolve(name);
    return { host: fromText(fs.realpathSync(guest)), guest: fromText(guest) };
  } catch (error) {
    return fail(toErrno(error));
  }
}

/** A guest path as a person reads it. */
export const shown = (guest: string): string => toText(guest);
