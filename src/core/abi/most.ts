/** How many there can be of what the core's records have fixed room for. */
export enum Most {
  /** Bits of a space's cpumask (mm/space.ts) and of a CPU's mask of who asked (sync/cpu.ts). */
  Cpus = 1024,
}
