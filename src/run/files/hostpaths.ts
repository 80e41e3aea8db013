/** files/hostpaths.ts: the paths of host files that are held: open, a working directory, a mount's top.
 *
 *  Why       the host is asked by path, so a held path must stay true while the guest renames and removes. A stale one
 *            would lead to whatever the guest put there instead: a link to anywhere.
 *  Promise   after a rename through any mount of this guest every held path at or below the old name is the new one; after
 *            a removal it is gone for good, and remembers what it was.
 *  One for all mounts, by absolute host path: directories given to the guest may lie inside one another. */
import { Fail } from "./fail.js";
import type { HostFs } from "./host.js";
import type { Stat } from "./stat.js";

export interface HeldPath {
  /** Absolute, without a slash at its end: "" is the host's root. */
  path: string;
  /** What it was when its last name went. */
  gone: Stat | undefined;
}

export class HostPaths {
  private readonly held = new Map<HeldPath, number>();

  constructor(readonly host: HostFs) {}

  hold(held: HeldPath): void {
    this.held.set(held, (this.held.get(held) ?? 0) + 1);
  }

  letGo(held: HeldPath): void {
    const count = this.held.get(held) ?? 0;
    if (count > 1) this.held.set(held, count - 1);
    else this.held.delete(held);
  }

  /** Runs what takes the name `path` away. */
  remove(path: string, run: () => void): void {
    const losers = [...this.held.keys()].filter((held) => held.path === path && !held.gone);
    const last = losers.length > 0 ? this.last(path) : undefined;
    run();
    for (const held of losers) held.gone = last;
  }

  /** Runs what gives `from` the name `into`, over whatever has it. */
  rename(from: string, into: string, run: () => void): void {
    this.remove(into, run);
    for (const held of this.held.keys()) {
      // What went from the old name itself earlier stays there; below it, `..` still leads up.
      if (within(held.path, from) && !(held.gone && held.path === from))
        held.path = into + held.path.slice(from.length);
    }
  }

  private last(path: string): Stat | undefined {
    try {
      return { ...this.host.lstat(path), nlink: 0 };
    } catch (error) {
      if (error instanceof Fail) return undefined;
      throw error;
    }
  }
}

/** path is top or below it. */
export const within = (path: string, top: string): boolean => path === top || path.startsWith(`${top}/`);
