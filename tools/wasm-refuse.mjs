/**
 * Refuse a core that would lie to one of its engines.
 *
 *   mutable global   one copy a worker under `run`, one for all actors in a hooked instance: two different programs
 *   data segment     every worker's instantiation would write it again, over live memory
 *   start function   the same, with code
 *   function table   what is checked must be readable from the call graph
 */
import binaryen from "binaryen";

export class RefusedCore extends Error {}

export function refuse(module) {
  for (let i = 0; i < module.getNumGlobals(); i++) {
    const { name, mutable } = binaryen.getGlobalInfo(module.getGlobalByIndex(i));
    if (mutable) throw new RefusedCore(`the core has a mutable global "${name}": each worker would have its own`);
  }
  if (module.getNumDataSegments() > 0) {
    const { name, data } = module.getDataSegmentInfo(module.getDataSegmentByIndex(0));
    throw new RefusedCore(
      `the core has a data segment "${name}" (${excerpt(data)}): each worker would write it again over live memory`,
    );
  }
  if (module.getNumElementSegments() > 0) {
    const { name } = binaryen.getElementSegmentInfo(module.getElementSegmentByIndex(0));
    throw new RefusedCore(`the core has a table of functions "${name}": its call graph could not be read`);
  }
  if (module.getStart()) {
    const { name } = binaryen.getFunctionInfo(module.getStart());
    throw new RefusedCore(`the core has a start function "${name}": each worker would run it`);
  }
}

/** What is readable of a segment: where a string came from is then plain to see. */
function excerpt(data) {
  const bytes = Array.from(new Uint8Array(data)).filter((byte) => byte >= 32 && byte < 127);
  return `${data.byteLength} bytes, "${String.fromCharCode(...bytes.slice(0, 60))}"`;
}
