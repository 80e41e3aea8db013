/**
 * cli/check/setting.ts: what a core is booted with, by the names of the command line; and the name of a schedule.
 *
 *   fault-munmap/optimistic/rcu/page                        scenario/fault/tables/layout
 *   fault-munmap/optimistic/rcu/page/commit-unchecked       … and the twin
 *   fault-munmap/optimistic+own/rcu/page                    the policy, and a pretouch that is not none
 */
import { BadSchedule } from "../../check/schedule.js";
import { Layout, Policy, type Pretouch, Tables } from "../../core/abi/mman.js";
import { PRETOUCHES, withPretouch } from "../options.js";

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
  /** None when not said. */
  readonly pretouch?: string | undefined;
  readonly tables: string;
  readonly layout: string;
}

export interface Subject extends Setting {
  readonly scenario: string;
  readonly twin?: string | undefined;
}

/** What boot() takes. */
export interface Numbers {
  readonly policy: Policy;
  readonly tables: Tables;
  readonly layout: Layout;
  readonly pretouch: Pretouch;
}

export function numbersOf({ fault, tables, layout, pretouch = "none" }: Setting): Numbers {
  return {
    policy: POLICIES[fault],
    tables: PROTECTIONS[tables],
    layout: LAYOUTS[layout],
    pretouch: PRETOUCHES[pretouch],
  };
}

export function nameOf<T extends number>(names: Readonly<Record<string, T>>, value: T): string {
  return Object.keys(names).find((name) => names[name] === value) ?? String(value);
}

export function textOf(setting: Setting): string {
  return `${faultOf(setting)} / ${setting.tables} / ${setting.layout}`;
}

export function scheduleName(subject: Subject): string {
  const { scenario, tables, layout, twin } = subject;
  return [scenario, faultOf(subject), tables, layout, ...(twin === undefined ? [] : [twin])].join("/");
}

function faultOf({ fault, pretouch = "none" }: Setting): string {
  return withPretouch(fault, pretouch);
}

/** The names in a schedule's name, not yet known to exist. */
export function subjectOf(name: string): Subject {
  const [scenario, how, tables, layout, twin, ...rest] = name.split("/");
  if (layout === undefined || rest.length > 0)
    throw new BadSchedule(`not the name of a scenario and its setting: ${name}`);
  const [fault, ...pretouch] = how.split("+");
  return { scenario, fault, pretouch: pretouch.length === 0 ? "none" : pretouch.join("+"), tables, layout, twin };
}
