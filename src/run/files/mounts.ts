/** files/mounts.ts: what the guest's tree is put together from: the directories it was given, and its program.
 *  A mount point that is missing is made in memory; a directory of the host is never written to for that, but gets one in
 *  memory mounted at the name. */
import { Errno } from "../../core/abi/errno.js";
import { toText } from "./bytes.js";
import { Fail, fail } from "./fail.js";
import { HostTree } from "./hostdir.js";
import type { HostPaths } from "./hostpaths.js";
import { MemDirectory } from "./memdir.js";
import { MemFs } from "./memfs.js";
import type { Namespace } from "./resolve.js";
import type { Stat } from "./stat.js";
import type { Credentials, Place } from "./vnode.js";

/** A host directory for the guest. Host paths are absolute with links resolved; all are byte strings (bytes.ts). */
export interface Bind {
  readonly host: string;
  readonly guest: string;
  readonly readOnly: boolean;
}

/** A directory that cannot be given to the guest; the message is a whole line. */
export class BindError extends Error {}

export class Mounts {
  constructor(
    private readonly space: Namespace,
    private readonly paths: HostPaths,
    private readonly owner: Credentials,
    /** Device minor numbers from here on are free for file systems in memory. */
    private nextMinor: number,
  ) {}

  addBind({ host, guest, readOnly }: Bind): void {
    const names = guest.split("/").filter(Boolean);
    const name = names.pop();
    if (!guest.startsWith("/") || name === undefined || name === "." || name === "..") {
      throw new BindError(
        `cannot mount ${toText(host)} at "${toText(guest)}": the guest path must be absolute and not /`,
      );
    }
    try {
      const tree = new HostTree(this.paths, host === "/" ? "" : host);
      this.space.mount(this.makeDirectories(names), name, tree.root, readOnly);
    } catch (error) {
      if (!(error instanceof Fail)) throw error;
      throw new BindError(`cannot mount ${toText(host)} at ${toText(guest)}: ${Errno[error.errno]}`);
    }
  }

  /** Makes the program visible at its own path, read-only, unless a given directory shows it there already. */
  addProgram({ host, guest }: { readonly host: string; readonly guest: string }): void {
    const names = guest.split("/").filter(Boolean);
    const last = names.pop() ?? fail(Errno.EACCES);
    const tree = new HostTree(this.paths, host);
    const parent = this.makeDirectories(names);
    const shown = this.statIfAny(parent, last);
    const real = tree.root.stat();
    if (!shown || shown.ino !== real.ino || shown.dev !== real.dev) this.space.mount(parent, last, tree.root, true);
  }

  private makeDirectories(names: readonly string[]): Place {
    const { space } = this;
    let at = space.root;
    for (const name of names) {
      if (!space.walk(at, name, { follow: true }).place) {
        if (at.node instanceof MemDirectory) at.node.mkdir(name, 0o755, this.owner);
        else space.mount(at, name, new MemFs(this.nextMinor++, this.owner).root, true);
      }
      at = space.lookup(at, name);
    }
    space.mayEnter(at);
    return at;
  }

  private statIfAny(parent: Place, name: string): Stat | undefined {
    try {
      return this.space.lookup(parent, name).node.stat();
    } catch (error) {
      if (error instanceof Fail) return undefined;
      throw error;
    }
  }
}
