/** files/resolve.ts: from a path to a file, one name at a time, in the guest's own tree.
 *
 *  Promise    nothing outside what was mounted is reached: `..` stops at the guest's root, an absolute link starts again
 *             there, and the host never sees a path it could interpret itself.
 *  Algorithm  a stack of names still to walk; a link puts its target's names on the stack (at most 40 links); a name that
 *             is a mount point continues in what is mounted there.
 *
 *                at /a          names b c          ->  at /a/b    names c
 *                at /a/b = link to ../x/y          ->  at /a      names .. x y c     (or at / if the target is absolute)
 *
 *  Linux      compare fs/namei.c:link_path_walk, walk_component; path_resolution(7)
 */
import { Errno } from "../../core/abi/errno.js";
import { Fail, fail } from "./fail.js";
import { Mode, NAME_MAX } from "./linux.js";
import type { Credentials, Entry, Mount, Place, Vnode } from "./vnode.js";

const MAX_LINKS = 40;

/** A path's last name, not looked up yet. */
export interface Named {
  /** The directory that has, or would have, the last name. */
  readonly parent: Place;
  /** "." or ".." when the path ends in one, "/" for the root: then it names no entry of the parent (isEntry). */
  readonly name: string;
  /** The path ended in a slash: only a directory will do. */
  readonly slash: boolean;
}

/** Where a path's last name leads. */
export interface Found extends Named {
  readonly place: Place | undefined;
}

/** What to do at a path's last name: follow a link there; refuse a trailing slash, for a file is to be made. */
export interface Ending {
  readonly follow: boolean;
  readonly create?: boolean;
}

export class Namespace {
  private readonly mounts: Mount[] = [];
  readonly root: Place;

  constructor(
    root: Vnode,
    private readonly credentials: Credentials,
    readOnly = false,
  ) {
    const mount = { root, readOnly };
    this.root = { mount, node: root };
  }

  /** Attaches a tree at a name of an existing directory, which need not have that name itself. */
  mount(parent: Place, name: string, root: Vnode, readOnly: boolean): void {
    parent.node.hold();
    this.mounts.push({ root, readOnly, at: { place: parent, name } });
  }

  /** The existing file at path. */
  lookup(base: Place, path: string, follow = true): Place {
    return this.walk(base, path, { follow }).place ?? fail(Errno.ENOENT);
  }

  /** Follows path to the directory of its last name and leaves that alone: for calls that make, remove or rename it. */
  locate(base: Place, path: string): Named {
    if (path === "") fail(Errno.ENOENT);
    const start = path.startsWith("/") ? "/" : "";
    const names = path.split("/").filter(Boolean);
    const name = names.pop();
    const above = start + names.join("/");
    const parent = above === "" ? base : this.lookup(base, above);
    if (name === undefined) return { parent, name: "/", slash: true };
    this.mayEnter(parent);
    return { parent, name, slash: path.endsWith("/") };
  }

  /** What a located name leads to, a link being the answer itself. */
  find({ parent, name }: Named): Place | undefined {
    if (name === "/" || name === ".") return parent;
    return name === ".." ? this.up(parent) : this.child(parent, name, true);
  }

  /** Follows path to its last name, which need not exist. */
  walk(base: Place, path: string, { follow, create = false }: Ending): Found {
    if (path === "") fail(Errno.ENOENT);
    let at = path.startsWith("/") ? this.root : base;
    const names = path.split("/").filter(Boolean).reverse();
    let slash = path.endsWith("/");
    let links = 0;
    let parent = at;
    let name = "/";
    for (let next = names.pop(); next !== undefined; next = names.pop()) {
      this.mayEnter(at);
      const last = names.length === 0;
      parent = at;
      name = next;
      if (next === "." || next === "..") {
        if (next === "..") at = this.up(at);
        continue;
      }
      if (create && last && slash) fail(Errno.EISDIR);
      const found = this.child(at, next, last);
      if (!found) return { parent, name, place: undefined, slash };
      at = found;
      if (found.node.type !== Mode.Link || (last && !follow && !slash)) continue;
      if (++links > MAX_LINKS) fail(Errno.ELOOP);
      const jump = found.node.jump();
      if (jump) {
        at = jump;
        continue;
      }
      const target = found.node.readlink();
      if (target === "") fail(Errno.ENOENT);
      at = target.startsWith("/") ? this.root : parent;
      if (last && target.endsWith("/")) slash = true;
      names.push(...target.split("/").filter(Boolean).reverse());
      if (names.length === 0) name = "/";
    }
    if (slash && at.node.type !== Mode.Directory) fail(Errno.ENOTDIR);
    return { parent, name, place: at, slash };
  }

  /** Throws EACCES when names of the directory may not be used, ENOTDIR when it is none. */
  mayEnter(at: Place): void {
    if (at.node.type !== Mode.Directory) fail(Errno.ENOTDIR);
    at.node.search(this.credentials);
  }

  private child(at: Place, name: string, mayLack: boolean): Place | undefined {
    if (name.length > NAME_MAX) fail(Errno.ENAMETOOLONG);
    const mount = this.mountedAt(at, name);
    if (mount) return { mount, node: mount.root };
    try {
      return { mount: at.mount, node: at.node.lookup(name) };
    } catch (error) {
      if (mayLack && error instanceof Fail && error.errno === Errno.ENOENT) return undefined;
      throw error;
    }
  }

  private mountedAt(at: Place, name: string): Mount | undefined {
    return this.mounts.findLast((m) => m.at?.name === name && samePlace(m.at.place, at));
  }

  /** `..` */
  up(at: Place): Place {
    if (!at.node.same(at.mount.root)) {
      const node = at.node.above();
      return node ? { mount: at.mount, node } : at;
    }
    return at.mount.at ? at.mount.at.place : at;
  }

  /** Something is mounted at this name, or (below) somewhere under it. */
  isMountPoint(parent: Place, name: string): boolean {
    return this.mountedAt(parent, name) !== undefined;
  }

  hasMountBelow(place: Place): boolean {
    return this.mounts.some((mount) => {
      if (mount.at?.place.mount !== place.mount) return false;
      for (let node: Vnode | undefined = mount.at.place.node; node; node = node.above()) {
        if (node.same(place.node)) return true;
      }
      return false;
    });
  }

  /** The absolute path of a directory, or of a file whose node knows its name; undefined when it was removed. */
  pathOf(place: Place): string | undefined {
    return this.path(place, (node) => node.nameAbove());
  }

  /** The same, with the last names that removed ones had. */
  lastPathOf(place: Place): string {
    return this.path(place, (node) => node.lastName() ?? node.nameAbove()) ?? "";
  }

  private path(place: Place, nameOf: (node: Vnode) => string | undefined): string | undefined {
    let path = "";
    let at = place;
    while (!samePlace(at, this.root)) {
      const isTop = at.node.same(at.mount.root);
      const name = isTop ? at.mount.at?.name : nameOf(at.node);
      if (name === undefined) return undefined;
      path = `/${name}${path}`;
      at = this.up(at);
    }
    return path || "/";
  }

  /** A directory's entries, `.`, `..` and mount points included. */
  list(place: Place): Entry[] {
    const mounted = new Map<string, Entry>();
    for (const { at, root } of this.mounts) {
      if (!at || !samePlace(at.place, place)) continue;
      const { mode, ino } = root.stat();
      mounted.set(at.name, { name: at.name, type: mode & Mode.TypeMask, ino });
    }
    return [
      { name: ".", type: Mode.Directory, ino: place.node.stat().ino },
      { name: "..", type: Mode.Directory, ino: this.up(place).node.stat().ino },
      ...place.node.list().filter(({ name }) => !mounted.has(name)),
      ...mounted.values(),
    ];
  }
}

/** The last name is one that can be made, removed or renamed. */
export const isEntry = ({ name }: Named): boolean => name !== "." && name !== ".." && name !== "/";

export const samePlace = (a: Place, b: Place): boolean => a.mount === b.mount && a.node.same(b.node);
