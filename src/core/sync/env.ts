/**
 * The seam: the words an engine gives the core. Everything else the core does to shared memory is a plain wasm
 * instruction, which the hooked build finds by itself.
 *
 *   pause(cpu, addr, seen, round)  one round of a wait: the u32 at addr was `seen`. Returns when it may differ, when the
 *                                  CPU's own pending word may have changed, or for no reason; the caller looks again.
 *                                  `round` counts from 0: early rounds spin, later ones sleep.
 *   now()                          monotonic time, ns
 *   bug(cpu, code)                 a broken invariant (abi/bug.ts): stops the machine, never returns
 *   rcuEnter, rcuExit(cpu)         the marks of a reader section: nothing in the shipping build, where quiescence is only
 *                                  ever stored by a poll or by going idle, and no reader section contains either
 *   irqOff, irqOn(cpu)             the marks of a section that takes no IPI: nothing in the shipping build, where IPIs
 *                                  are taken only at the listed polls and none lies inside
 *   fence()                        a full fence: the build puts the atomic.fence instruction in place of the call
 *   waitWord(addr, seen, ns)       memory.atomic.wait32: sleeps while the u32 at addr is `seen`, until notified or for at
 *                                  most ns (negative: for ever). The build makes it a function of its own, see tools/
 */
export declare function pause(cpu: usize, addr: usize, seen: u32, round: u32): void;
export declare function now(): f64;
export declare function bug(cpu: usize, code: u32): void;
export declare function rcuEnter(cpu: usize): void;
export declare function rcuExit(cpu: usize): void;
export declare function irqOff(cpu: usize): void;
export declare function irqOn(cpu: usize): void;
export declare function fence(): void;
export declare function waitWord(addr: usize, seen: u32, ns: i64): void;
