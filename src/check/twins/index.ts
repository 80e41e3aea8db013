/** Every buggy twin, by area, and every variant. */
import { COMMIT_TWINS } from "./commit.js";
import { FILE_TWINS } from "./file.js";
import { FLUSH_TWINS } from "./flush.js";
import { FORK_TWINS } from "./fork.js";
import { LOCK_TWINS } from "./lock.js";
import { MEMORY_TWINS } from "./memory.js";
import { MOVE_TWINS } from "./move.js";
import { REMOTE_TWINS } from "./remote.js";
import { SPF_TWINS } from "./spf.js";
import { TABLE_TWINS } from "./table.js";
import type { Twin } from "./twin.js";

export type { Patch, Twin } from "./twin.js";
export { VARIANTS, type Variant } from "./variants.js";

export const TWINS: readonly Twin[] = [
  ...COMMIT_TWINS,
  ...TABLE_TWINS,
  ...FLUSH_TWINS,
  ...LOCK_TWINS,
  ...SPF_TWINS,
  ...MEMORY_TWINS,
  ...REMOTE_TWINS,
  ...MOVE_TWINS,
  ...FORK_TWINS,
  ...FILE_TWINS,
];
