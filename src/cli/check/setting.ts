/**
 * cli/check/setting.ts: what a core is booted with, by the names of the command line; and the name of a schedule.
 *
 *   fault-munmap/optimistic/rcu/page                        scenario/fault/tables/layout
 *   fault-munmap/optimistic/rcu/page/commit-unchecked       … and the twin
 */
import { BadSchedule } from "../../check/schedule.js";
import { Layout, Policy, Tables } from "../../core/abi/mman.js";

export const POLICIES: Readonly<Record<string, Policy>> = {
  "mmap-lock": Policy.MmapLock,
  spf: Policy.Spf,
  "vma-lock": Policy.VmaLock,
  "vma-refcount": Policy.VmaRefcount,
  optimistic: Policy.Optimistic,
};
export const PROTECTIONS: Readonly<Record<string, Tables>> = { rcu: Tables.Rcu, irq: Tables.Irq };
export const LAYOUTS: Readonly<Record<string, Layout>> = {
  page: Layout.Page,
  halves: Layout.Halves,
  fragments: Layout.Fragments,
};

/** Names, as typed. */
export interface Setting {
  readonly fault: string;
  readonly tables: string;
  readonly layout: string;
}

export interface Subject extends Setting {
  readonly scenario: string;
  readonly twin?: string | undefined;
}

export function numbersOf({ fault, tables, layout }: Setting): { policy: Policy; tables: Tables; layout: Layout } {
  return { policy: POLICIES[fault], tables: PROTECTIONS[tables], layout: LAYOUTS[layout] };
}

export function nameOf<T extends number>(names: Readonly<Record<string, T>>, value: T): string {
  return Object.keys(names).find((name) => names[name] === value) ?? String(value);
}

export function textOf({ fault, tables, layout }: Setting): string {
  return `${fault} / ${tables} / ${layout}`;
}

export function scheduleName({ scenario, fault, tables, layout, twin }: Subject): string {
  return [scenario, fault, tables, layout, ...(twin === undefined ? [] : [twin])].join("/");
}

/** The names in a schedule's name, not yet known to exist. */
export function subjectOf(name: string): Subject {
  const [scenario, fault, tables, layout, twin, ...rest] = name.split("/");
  if (layout === undefined || rest.length > 0)
    throw new BadSchedule(`not the name of a scenario and its setting: ${name}`);
  return { scenario, fault, tables, layout, twin };
}
