/** What setLimit() sets: riscv64 Linux's RLIMIT_* that bind a space, and what only its owner says. */
export enum Limit {
  Data = 2,
  Stack = 3,
  Memlock = 8,
  As = 9,
  /** Added to one of the four: its ceiling. */
  Hard = 32,
  Privileged = 64,
  Overcommit = 65,
}
