/**
 * One place as the oracle of results sees it: an address in every space, and the page of the object that is mapped there.
 *
 *   views    space 0 ─► frame 0      frames   0 {0: 7}   what each holds; a byte not named is zero
 *            space 1 ─► frame 1               1 {}       a frame is never used for something else
 *   object ──────────► frame 2                2 {0: 9}   a view that has no frame of its own shows this one
 *
 * Shadow     a view as it was before a removal: accesses in its space that began before `until` may still use it. Where only
 *            rights went, or the object's page did, its frame is one that others have, too: stores through it are seen there.
 * Old        what the object's page held before a store: a copy that began before `until` may be of it.
 */
import { Prot } from "../core/abi/mman.js";
import type { Timed } from "./history.js";
import type { PageAction } from "./operations.js";

export type Backing = "anonymous" | "private" | "shared";

type Bytes = ReadonlyMap<number, number>;

interface View {
  readonly prot: number;
  readonly backing: Backing;
  /** OBJECTS: none of its own. */
  readonly frame: number;
  /** Shows the object's page, though a frame is named: a shadow's. */
  readonly borrowed?: boolean;
}

interface Shadow {
  readonly space: number;
  readonly view: View;
  readonly until: number;
}

export interface Cell {
  readonly views: ReadonlyMap<number, View>;
  readonly frames: readonly Bytes[];
  /** Frame of the object's page; NONE: no object, or the file ends before it. */
  readonly object: number;
  readonly olds: readonly { readonly bytes: Bytes; readonly until: number }[];
  readonly shadows: readonly Shadow[];
}

const OBJECTS = -1;
const NONE = -1;
const NOTHING: Bytes = new Map();

/** Nothing is mapped in any space. */
export const EMPTY: Cell = { views: new Map(), frames: [], object: NONE, olds: [], shadows: [] };

/** The place is mapped in a space. */
export function mapped(cell: Cell, space: number, prot: number, backing: Backing): Cell {
  return backing === "anonymous"
    ? withView(withFrame(cell, NOTHING), space, { prot, backing, frame: cell.frames.length })
    : withView(cell, space, { prot, backing, frame: OBJECTS });
}

/** There is a page of an object, and these are its bytes. */
export function inObject(cell: Cell, bytes: Bytes): Cell {
  return { ...withFrame(cell, bytes), object: cell.frames.length };
}

/** Every state the action may lead to here, given what it returned; none when it can not come here. */
export function outcomes(cell: Cell, timed: Timed): Cell[] {
  const { action, end, space = 0 } = timed;
  const view = cell.views.get(space);
  switch (action.kind) {
    case "map":
      return [mapped(removed(cell, space, end), space, action.prot, action.backing ?? "anonymous")];
    case "unmap":
      return [removed(cell, space, end)];
    case "zero":
      if (!view) return action.sure ? [] : [cell];
      return [emptied(cell, space, view, end)];
    case "protect": {
      if (!view) return action.sure ? [] : [cell];
      const changed = withView(shadowed(cell, space, view, end), space, { ...view, prot: action.prot });
      return action.sure ? [changed] : [changed, cell];
    }
    case "move": {
      if (!view) return [];
      const gone = removed(removed(cell, space, end), action.to, end);
      return [withView(gone, action.to, view)];
    }
    case "fork":
      return [forked(cell, view, action.child)];
    case "resize":
      return [resized(cell, action.inside, end)];
    case "punch":
      return cell.object === NONE ? [cell] : [inObject(withoutObject(cell, end, false), NOTHING)];
    case "store":
      if (cell.object === NONE) return [];
      return [stored(cell, cell.object, action.offset, action.value, end)];
    case "look":
      return cell.object !== NONE && byteOf(cell, cell.object, action.offset) === action.value ? [cell] : [];
    case "oom":
      return [];
    default:
      return accesses(cell, action, timed);
  }
}

type Access = Extract<PageAction, { kind: "read" | "write" }>;

function accesses(cell: Cell, access: Access, timed: Timed): Cell[] {
  const { space = 0, begin } = timed;
  const view = cell.views.get(space);
  const found = accessOne(cell, view, access, timed, (at, own) => withView(at, space, { ...view!, frame: own }));
  cell.shadows.forEach((shadow, i) => {
    if (shadow.space !== space || begin > shadow.until) return;
    const taken = (at: Cell, own: number): Cell => {
      const changed = { ...shadow, view: { ...shadow.view, frame: own, borrowed: false } };
      return { ...at, shadows: at.shadows.with(i, changed) };
    };
    found.push(...accessOne(cell, shadow.view, access, timed, taken));
  });
  return found;
}

/** Empty when the access can not have ended as it did. `taken`: the view has a frame of its own from here on. */
function accessOne(
  cell: Cell,
  view: View | undefined,
  access: Access,
  { begin, end }: Timed,
  taken: (cell: Cell, own: number) => Cell,
): Cell[] {
  const frame = view ? frameOf(cell, view) : NONE;
  const rights = view && frame !== NONE ? view.prot : 0;
  if (access.kind === "read") {
    const allowed = (rights & (Prot.Read | Prot.Write)) !== 0;
    return (allowed ? byteOf(cell, frame, access.offset) : undefined) === access.value ? [cell] : [];
  }
  const allowed = (rights & Prot.Write) !== 0;
  if (allowed !== access.done) return [];
  if (!access.done) return [cell];
  if (view!.backing !== "private" || !isBorrowed(view!)) return [stored(cell, frame, access.offset, access.value, end)];
  const sources = [cell.frames[frame], ...cell.olds.filter(({ until }) => begin <= until).map(({ bytes }) => bytes)];
  return sources.map((bytes) => {
    const copy = new Map(bytes).set(access.offset, access.value);
    return taken(withFrame(cell, copy), cell.frames.length);
  });
}

function isBorrowed(view: View): boolean {
  return view.frame === OBJECTS || view.borrowed === true;
}

function frameOf(cell: Cell, view: View): number {
  return view.frame === OBJECTS ? cell.object : view.frame;
}

function byteOf(cell: Cell, frame: number, offset: number): number {
  return cell.frames[frame].get(offset) ?? 0;
}

function stored(cell: Cell, frame: number, offset: number, value: number, end: number): Cell {
  const frames = cell.frames.with(frame, new Map(cell.frames[frame]).set(offset, value));
  if (frame !== cell.object) return { ...cell, frames };
  return { ...cell, frames, olds: [...cell.olds, { bytes: cell.frames[frame], until: end }] };
}

function withFrame(cell: Cell, bytes: Bytes): Cell {
  return { ...cell, frames: [...cell.frames, bytes] };
}

function withView(cell: Cell, space: number, view: View): Cell {
  return { ...cell, views: new Map(cell.views).set(space, view) };
}

function shadowed(cell: Cell, space: number, view: View, until: number): Cell {
  const frame = frameOf(cell, view);
  if (frame === NONE) return cell;
  const kept = { ...view, frame, borrowed: isBorrowed(view) };
  return { ...cell, shadows: [...cell.shadows, { space, view: kept, until }] };
}

function removed(cell: Cell, space: number, until: number): Cell {
  const view = cell.views.get(space);
  if (!view) return cell;
  const views = new Map(cell.views);
  views.delete(space);
  return { ...shadowed(cell, space, view, until), views };
}

/** MADV_DONTNEED: a zeroed page, or the object's. */
function emptied(cell: Cell, space: number, view: View, until: number): Cell {
  return mapped(shadowed(cell, space, view, until), space, view.prot, view.backing);
}

function forked(cell: Cell, view: View | undefined, child: number): Cell {
  if (!view) return cell;
  if (view.frame === OBJECTS) return withView(cell, child, view);
  return withView(withFrame(cell, cell.frames[view.frame]), child, { ...view, frame: cell.frames.length });
}

function resized(cell: Cell, inside: boolean, until: number): Cell {
  if (!inside) return withoutObject(cell, until, true);
  return cell.object === NONE ? inObject(cell, NOTHING) : cell;
}

/** The object's page goes out of every mapping, with the private copies of it (`evenCopies`) or without. */
function withoutObject(cell: Cell, until: number, evenCopies: boolean): Cell {
  if (cell.object === NONE) return cell;
  let now = cell;
  for (const [space, view] of cell.views) {
    if (view.backing === "anonymous" || (!evenCopies && !isBorrowed(view))) continue;
    now = withView(shadowed(now, space, view, until), space, { ...view, frame: OBJECTS });
  }
  const olds = [...now.olds, { bytes: cell.frames[cell.object], until }];
  return { ...now, object: NONE, olds };
}
