/** A page cache as the core has it, in plain arrays: what the file service asks of it, and what mappings would see. */
import type { PageCache } from "../../src/run/files/service";

const PAGE = 4096;

interface Cached {
  size: number;
  dataEnd: number;
  references: number;
  mappings: number;
  writable: number;
  readonly pages: Map<number, Uint8Array>;
}

export class TestCache implements PageCache {
  readonly objects = new Map<number, Cached>();
  full = false;

  of(id: number): Cached {
    const cached = this.objects.get(id);
    if (!cached) throw new Error(`no object ${id}`);
    return cached;
  }
  open(id: number, size: number, dataEnd: number): boolean {
    if (this.full) return false;
    const cached = this.objects.get(id);
    if (cached) cached.references++;
    else this.objects.set(id, { size, dataEnd, references: 1, mappings: 0, writable: 0, pages: new Map() });
    return true;
  }
  /** A mapping comes, and the reference of the request that made it goes. */
  map(id: number, writable: boolean): void {
    const cached = this.of(id);
    cached.references--;
    cached.mappings++;
    if (writable) cached.writable++;
  }
  unmap(id: number, writable: boolean): void {
    const cached = this.of(id);
    cached.mappings--;
    if (writable) cached.writable--;
  }
  /** A page as mappings see it: made, by `fill`, when it is first touched. */
  page(id: number, offset: number, fill: (page: Uint8Array) => void = () => {}): Uint8Array {
    const { pages } = this.of(id);
    const known = pages.get(offset);
    if (known) return known;
    const page = new Uint8Array(PAGE);
    fill(page);
    pages.set(offset, page);
    return page;
  }
  forget(id: number): boolean {
    const cached = this.of(id);
    if (cached.references + cached.mappings > 0) return false;
    return this.objects.delete(id);
  }
  resize(id: number, size: number): void {
    const cached = this.of(id);
    cached.size = size;
    for (const [offset, page] of [...cached.pages]) {
      if (offset >= size) cached.pages.delete(offset);
      else if (offset + PAGE > size) page.fill(0, size - offset);
    }
  }
  punch(id: number, offset: number, length: number): void {
    for (const [at, page] of this.of(id).pages) {
      const [from, to] = [Math.max(0, offset - at), Math.min(PAGE, offset + length - at)];
      if (from < to) page.fill(0, from, to);
    }
  }
  read(id: number, offset: number, into: Uint8Array): void {
    this.overlap(id, offset, into, (page, bytes) => bytes.set(page));
  }
  write(id: number, offset: number, from: Uint8Array): void {
    this.overlap(id, offset, from, (page, bytes) => page.set(bytes));
  }
  private overlap(id: number, offset: number, bytes: Uint8Array, move: (p: Uint8Array, b: Uint8Array) => void): void {
    for (const [at, page] of this.of(id).pages) {
      const [from, to] = [Math.max(at, offset), Math.min(at + PAGE, offset + bytes.length)];
      if (from < to) move(page.subarray(from - at, to - at), bytes.subarray(from - offset, to - offset));
    }
  }
  writableMappings(id: number): number {
    return this.of(id).writable;
  }
  mappings(id: number): number {
    return this.objects.get(id)?.mappings ?? 0;
  }
}
