/** files/memdata.ts: the bytes of a file in memory. Blocks exist where something was written, so a hole costs nothing and
 *  reads as zeros, and st_blocks is honest.
 *
 *     size 70000:   [block 0][ hole  ][block 2][block 3][..4464 bytes of block 4]
 *
 *  Invariant: bytes of a block beyond the size are zero (truncate clears them), so growing never shows old data. */

const BLOCK = 16384;

export class MemData {
  private readonly blocks = new Map<number, Uint8Array>();
  private length = 0;

  get size(): number {
    return this.length;
  }

  /** Bytes held, holes left out. */
  get heldBytes(): number {
    return this.blocks.size * BLOCK;
  }

  /** Where the last block ends, or the file: what follows is a hole. */
  get end(): number {
    let last = -1;
    for (const index of this.blocks.keys()) last = Math.max(last, index);
    return Math.min(this.length, (last + 1) * BLOCK);
  }

  read(into: Uint8Array, at: number): number {
    const count = Math.max(0, Math.min(into.length, this.length - at));
    this.eachBlock(at, count, (index, from, done, run) => {
      const block = this.blocks.get(index);
      if (block) into.set(block.subarray(from, from + run), done);
      else into.fill(0, done, done + run);
    });
    return count;
  }

  write(bytes: Uint8Array, at: number): number {
    this.eachBlock(at, bytes.length, (index, from, done, run) => {
      let block = this.blocks.get(index);
      if (!block) {
        block = new Uint8Array(BLOCK);
        this.blocks.set(index, block);
      }
      block.set(bytes.subarray(done, done + run), from);
    });
    this.length = Math.max(this.length, at + bytes.length);
    return bytes.length;
  }

  resize(size: number): void {
    if (size < this.length) {
      const whole = Math.ceil(size / BLOCK);
      for (const index of [...this.blocks.keys()]) if (index >= whole) this.blocks.delete(index);
      if (size % BLOCK) this.blocks.get(whole - 1)?.fill(0, size % BLOCK);
    }
    this.length = size;
  }

  /** The range reads as zeros; blocks wholly in it go. */
  punch(at: number, length: number): void {
    const end = at + length;
    for (const [index, block] of [...this.blocks]) {
      const from = Math.max(at - index * BLOCK, 0);
      const to = Math.min(end - index * BLOCK, BLOCK);
      if (from === 0 && to === BLOCK) this.blocks.delete(index);
      else if (from < to) block.fill(0, from, to);
    }
  }

  /** How many bytes a write of `length` at `at` would add to what is held. */
  growth(at: number, length: number): number {
    let missing = 0;
    this.eachBlock(at, length, (index) => {
      if (!this.blocks.has(index)) missing++;
    });
    return missing * BLOCK;
  }

  private eachBlock(
    at: number,
    count: number,
    visit: (index: number, from: number, done: number, run: number) => void,
  ) {
    for (let done = 0; done < count; ) {
      const from = (at + done) % BLOCK;
      const run = Math.min(BLOCK - from, count - done);
      visit(Math.floor((at + done) / BLOCK), from, done, run);
      done += run;
    }
  }
}
