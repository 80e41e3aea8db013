/** node/binds.ts: from the command line's words to the guest's files: `--root DIR`, `--dir HOST[:GUEST[:ro]]`, PROGRAM. */
import fs from "node:fs";
import path from "node:path";
import { Errno } from "../../core/abi/errno.js";
import { fromText } from "../files/bytes.js";
import { Fail, fail } from "../files/fail.js";
import { Files } from "../files/files.js";
import { Mode } from "../files/linux.js";
import { type Bind, BindError } from "../files/mounts.js";
import { FIRST_PID, type FileService } from "../files/service.js";
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
  const where = { host: nodeHostFs, stdio: nodeStdio(), binds, owner, umask: process.umask(), pid: FIRST_PID };
  const cwd = guestDirectory(rootPath, binds);
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
  try {
    const real = fromText(fs.realpathSync(path.resolve(name)));
    if ((nodeHostFs.lstat(real).mode & Mode.TypeMask) !== Mode.Directory) fail(Errno.ENOTDIR);
    return real;
  } catch (error) {
    const errno = error instanceof Fail ? error.errno : toErrno(error);
    throw new BindError(`${name}: ${Errno[errno]}: cannot be given to the guest`);
  }
}

/** Where the guest sees the working directory; "/" when it does not. The most specific directory given decides. */
function guestDirectory(root: string | undefined, binds: readonly Bind[]): string {
  const here = workingDirectory();
  if (here === undefined) return "/";
  const trees = [...binds, ...(root === undefined ? [] : [{ host: root, guest: "", readOnly: false }])];
  const inside = trees.filter(({ host }) => here === host || here.startsWith(host === "/" ? "/" : `${host}/`));
  const best = inside.sort((a, b) => b.host.length - a.host.length)[0];
  if (!best) return "/";
  return `${best.guest}/${here.slice(best.host.length)}`;
}

/** undefined: it was removed. */
function workingDirectory(): string | undefined {
  try {
    return fromText(fs.realpathSync(process.cwd()));
  } catch {
    return undefined;
  }
}

function findProgram(name: string): { host: string; guest: string } {
  try {
    const guest = path.resolve(name);
    return { host: fromText(fs.realpathSync(guest)), guest: fromText(guest) };
  } catch (error) {
    return fail(toErrno(error));
  }
}
