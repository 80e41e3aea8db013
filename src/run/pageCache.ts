/**
 * run/pageCache.ts: the core's page cache, as the file service uses it on the main thread.
 *
 * cpu       the service CPU: an area of its own that is never online; the core calls it is given take locks and wait for nothing.
 * Bytes     go through that CPU's bounce buffer, a piece at a time, unless they lie in the machine's memory already.
 */
import type { Core } from "./core.js";
import { BOUNCE_BYTES, type PageCache } from "./files/service.js";

/** The core's word for "every page is asked of the host" (mm/hostCache.ts). */
const HOST_KNOWS = -1n;

export function pageCache(core: Core, cpu: number, memory: WebAssembly.Memory): PageCache {
  const bounce = core.bounce(cpu);
  const scratch = new Uint8Array(memory.buffer, bounce, BOUNCE_BYTES);
  return {
    open: (id, size, dataEnd) => core.hostOpen(cpu, id, BigInt(size), end(dataEnd)) !== 0,
    forget: (id) => core.hasObject(cpu, id) === 0,
    resize: (id, size) => core.hostResize(cpu, id, BigInt(size)),
    punch: (id, offset, length) => core.hostPunch(cpu, id, BigInt(offset), BigInt(offset + length)),
    read(id, offset, into) {
      if (into.buffer === memory.buffer) {
        core.hostRead(cpu, id, BigInt(offset), into.byteOffset, into.length);
        return;
      }
      for (let done = 0; done < into.length; done += BOUNCE_BYTES) {
        const piece = into.subarray(done, done + BOUNCE_BYTES);
        scratch.set(piece);
        core.hostRead(cpu, id, BigInt(offset + done), bounce, piece.length);
        piece.set(scratch.subarray(0, piece.length));
      }
    },
    write(id, offset, from) {
      if (from.buffer === memory.buffer) {
        core.hostWrite(cpu, id, BigInt(offset), from.byteOffset, from.length);
        return;
      }
      for (let done = 0; done < from.length; done += BOUNCE_BYTES) {
        const piece = from.subarray(done, done + BOUNCE_BYTES);
        scratch.set(piece);
        core.hostWrite(cpu, id, BigInt(offset + done), bounce, piece.length);
      }
    },
    writableMappings: (id) => core.writableMappings(cpu, id),
    mappings: (id) => core.objectRefs(cpu, id),
  };
}

function end(dataEnd: number): bigint {
  return Number.isFinite(dataEnd) ? BigInt(dataEnd) : HOST_KNOWS;
}
