/** Why the hart left guest code, and how a fault ended. */
export enum Exit {
  /** Nothing to do: the entry is there, the instruction starts again. */
  None = 0,
  /** ecall; pc is after it. */
  Ecall = 1,
  /** A synchronous exception; the trap fields say which, pc is at the instruction. */
  Trap = 2,
  /** Pending bits other than flush and quiesce are set. */
  Kick = 3,
  /** The page of a file mapping must be read by the host first. */
  Io = 4,
  /** No frame is left. */
  Oom = 5,
  /** The instruction budget is used up. */
  Fuel = 6,
}

/** What an access wants of a page. */
export enum Access {
  Read = 0,
  Write = 1,
  Exec = 2,
}

/** Synchronous exception codes (RISC-V privileged specification, scause). */
export enum Cause {
  FetchAccess = 1,
  Illegal = 2,
  Breakpoint = 3,
  LoadMisaligned = 4,
  LoadAccess = 5,
  StoreMisaligned = 6,
  StoreAccess = 7,
  FetchPage = 12,
  LoadPage = 13,
  StorePage = 15,
}

/** si_code of SIGSEGV (sigaction(2)). */
export enum SegvCode {
  MapErr = 1,
  AccErr = 2,
}
