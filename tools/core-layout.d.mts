/** File of the core, below src/core → constant → value. */
export function coreLayout(folder?: string): Record<string, Record<string, number>>;
