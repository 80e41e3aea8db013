/** Pages that a program holds as its events go by: how many an unmapping frees, and how many there are at most. */
import { Access } from "../../core/abi/exit.js";
import { PAGE } from "../workload.js";
import type { FaultEvent } from "./recording.js";

const MOST_BYTES = 2 ** 32;

export class Resident {
  /** Private pages, and the CPU that faulted each in. */
  readonly #pages = new Map<number, number>();
  /** By CPU, now and at most: in a replay the CPUs' peaks may meet. */
  readonly #now: number[];
  readonly #most: number[];
  /** Pages of files, which stay cached, by where they were seen. */
  readonly #cached = new Set<number>();

  constructor(cpus: number) {
    this.#now = Array.from({ length: cpus }, () => 0);
    this.#most = [...this.#now];
  }

  /** A fault was served: true when it took a page of the program's own. */
  take(cpu: number, page: number, { served, access }: FaultEvent): boolean {
    if (served === "file" || served === "cow") this.#cached.add(page);
    const fresh = served === "cow" || (served === "anon" && access === Access.Write);
    if (fresh && !this.#pages.has(page)) this.#add(page, cpu);
    return fresh;
  }

  /** A call brings in all of [start, end); what no memory holds it can not have brought in. */
  fill(cpu: number, start: number, end: number): void {
    if (end - start > MOST_BYTES) return;
    for (let page = start; page < end; page += PAGE) if (!this.#pages.has(page)) this.#add(page, cpu);
  }

  /** Pages of [start, end) that go. */
  drop(start: number, end: number): number {
    const gone = this.#in(start, end);
    for (const page of gone) this.#remove(page);
    return gone.length;
  }

  /** What lies in the first range goes to the second, as far as that has room. */
  move(start: number, end: number, to: number, newEnd: number): void {
    if (start === to) {
      if (newEnd < end) this.drop(newEnd, end);
      return;
    }
    this.drop(to, newEnd);
    for (const page of this.#in(start, end)) {
      const cpu = this.#pages.get(page)!;
      this.#remove(page);
      if (page - start + to < newEnd) this.#add(page - start + to, cpu);
    }
  }

  most(): number {
    return this.#most.reduce((sum, most) => sum + most, this.#cached.size);
  }

  #add(page: number, cpu: number): void {
    this.#pages.set(page, cpu);
    this.#most[cpu] = Math.max(this.#most[cpu], ++this.#now[cpu]);
  }

  #remove(page: number): void {
    this.#now[this.#pages.get(page)!]--;
    this.#pages.delete(page);
  }

  #in(start: number, end: number): number[] {
    if ((end - start) / PAGE > this.#pages.size)
      return [...this.#pages.keys()].filter((page) => page >= start && page < end);
    const pages: number[] = [];
    for (let page = start; page < end; page += PAGE) if (this.#pages.has(page)) pages.push(page);
    return pages;
  }
}
