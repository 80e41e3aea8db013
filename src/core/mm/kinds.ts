/** Kinds of deferred records, in the third word of their RCU head. */
export const KIND_TABLE: u32 = 1;
export const KIND_VMA: u32 = 2;
export const KIND_NODE: u32 = 3;
export const KIND_BLOCK: u32 = 4;
export const KIND_OBJECT: u32 = 5;
export const KIND_INDEX: u32 = 6;
