/** run/processCalls.ts: what processes ask of the file service (files/service.ts tells of each). */
export enum ProcessCall {
  /** (pid of the child, clone flags), asked as the parent -> 0. */
  ForkFiles = 0x10010,
  /** (pid) -> 0. */
  ExitFiles = 0x10011,
  /** (dirfd, offset of the path, offset of the head, flags) -> object. */
  OpenProgram = 0x10012,
  /** (object, offset of argv, its bytes, offset of the name, its bytes) -> 0. */
  ExecFiles = 0x10013,
}
