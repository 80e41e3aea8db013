/**
 * Puts the memory back between executions: only the pages that an execution wrote.
 *
 * Promise    after restore() every byte the core owns is as it was at capture(). The writes are known because every one
 *            is announced: `wrote` is called for each, and by whoever writes from outside the core.
 */
const PAGE_SHIFT = 12;

export class Snapshot {
  readonly #bytes: Uint8Array;
  readonly #image: Uint8Array;
  readonly #dirty: Uint8Array;
  readonly #pages: Uint32Array;
  #count = 0;

  constructor(memory: WebAssembly.Memory, ownedBytes: number) {
    this.#bytes = new Uint8Array(memory.buffer, 0, ownedBytes);
    this.#image = new Uint8Array(ownedBytes);
    this.#dirty = new Uint8Array(ownedBytes >> PAGE_SHIFT);
    this.#pages = new Uint32Array(ownedBytes >> PAGE_SHIFT);
  }

  capture(): void {
    this.#image.set(this.#bytes);
    this.#forget();
  }

  wrote(address: number, bytes: number): void {
    const first = address >>> PAGE_SHIFT;
    const last = (address + bytes - 1) >>> PAGE_SHIFT;
    for (let page = first; page <= last; page++) {
      if (this.#dirty[page] !== 0 || page >= this.#dirty.length) continue;
      this.#dirty[page] = 1;
      this.#pages[this.#count++] = page;
    }
  }

  restore(): void {
    for (let i = 0; i < this.#count; i++) {
      const at = this.#pages[i] << PAGE_SHIFT;
      this.#bytes.set(this.#image.subarray(at, at + (1 << PAGE_SHIFT)), at);
    }
    this.#forget();
  }

  #forget(): void {
    for (let i = 0; i < this.#count; i++) this.#dirty[this.#pages[i]] = 0;
    this.#count = 0;
  }
}
