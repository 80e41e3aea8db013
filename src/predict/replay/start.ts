/**
 * What was mapped before the record began, as far as the record needs it: pages that were touched, or changed by a call, and that no
 * call before had mapped or unmapped.
 *
 * Neighbours  pages less than NEAR apart are one mapping when they are of one kind. A hole between them that was not mapped does no harm:
 *             what is mapped there later takes its place.
 * Kind        as the first fault on a page was served; a file's page that was written without a copy is a shared one.
 */
import { Access } from "../../core/abi/exit.js";
import { Prot } from "../../core/abi/mman.js";
import { PAGE } from "../workload.js";
import type { FaultEvent } from "./recording.js";

export type Kind = "anonymous" | "private" | "shared";

export interface Before {
  readonly start: number;
  readonly end: number;
  readonly kind: Kind;
  readonly prot: number;
}

const NEAR = 16 * PAGE;
const RIGHTS: Readonly<Record<Access, number>> = {
  [Access.Read]: Prot.Read,
  [Access.Write]: Prot.Read | Prot.Write,
  [Access.Exec]: Prot.Read | Prot.Exec,
};

export class Start {
  readonly #pages = new Map<number, { kind: Kind; prot: number }>();
  readonly #ranges: [number, number][] = [];

  touched(page: number, { served, access }: FaultEvent): void {
    const known = this.#pages.get(page);
    const shared = served === "file" && access === Access.Write;
    if (known) {
      known.prot |= RIGHTS[access];
      if (shared) known.kind = "shared";
      return;
    }
    const ofFile = served === "file" || served === "cow";
    this.#pages.set(page, { kind: shared ? "shared" : ofFile ? "private" : "anonymous", prot: RIGHTS[access] });
  }

  changed(start: number, end: number): void {
    this.#ranges.push([start, end]);
  }

  mappings(): Before[] {
    const whole = this.#ranges.map(([start, end]): Before => ({ start, end, kind: "anonymous", prot: 0 }));
    const pages = [...this.#pages].map(([start, page]): Before => ({ start, end: start + PAGE, ...page }));
    const sorted = [...whole, ...pages].sort((a, b) => a.start - b.start || b.end - a.end);
    const merged: Before[] = [];
    for (const next of sorted) {
      const last = merged.at(-1);
      if (last && joins(last, next)) merged[merged.length - 1] = joined(last, next);
      else merged.push(next);
    }
    return merged.map((each) => (each.prot === 0 ? { ...each, prot: Prot.Read | Prot.Write } : each));
  }
}

function joins(last: Before, next: Before): boolean {
  if (next.start < last.end) return true;
  return next.start < last.end + NEAR && last.kind === next.kind && last.prot === next.prot;
}

/** What a range that a call changed is, say the pages in it. */
function joined(last: Before, next: Before): Before {
  const kind = last.kind === "anonymous" ? next.kind : last.kind;
  return { start: last.start, end: Math.max(last.end, next.end), kind, prot: last.prot | next.prot };
}
