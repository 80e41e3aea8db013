/**
 * How fast threads run, by who runs beside them.
 *
 *   clock     every core of a socket busy makes all of them slower: allCoreSlowdown, in proportion
 *   sibling   two threads on a core are each slower: siblingSlowdown
 * When a thread ends, its sibling has the core for itself. When a core has no thread left, one of two that share a core moves there,
 * as Linux's balancer sees to (kernel/sched/fair.c: sched_balance_newidle()); first within the socket. What a thread that
 * moves leaves behind in its caches is not modelled.
 */
import type { Values } from "./constants.js";
import type { Processor } from "./processor.js";
import type { Place, Topology } from "./topology.js";

export class Load {
  readonly #values: Values;
  readonly #coresPerSocket: number;
  /** By core: its threads. */
  readonly #cores = new Map<number, Processor[]>();
  readonly #perSocket: number[];

  constructor(values: Values, topology: Topology, at: readonly Place[], cpus: readonly Processor[]) {
    this.#values = values;
    this.#coresPerSocket = topology.complexesPerSocket * topology.coresPerComplex;
    this.#perSocket = new Array(topology.sockets).fill(0);
    cpus.forEach((cpu, i) => {
      const { core, socket } = at[i];
      const beside = this.#cores.get(core);
      if (beside) beside.push(cpu);
      else this.#cores.set(core, [cpu]);
      this.#perSocket[socket]++;
    });
    this.#settle();
  }

  ended(cpu: Processor): void {
    this.#perSocket[cpu.socket]--;
    for (const [core, threads] of this.#cores) {
      const place = threads.indexOf(cpu);
      if (place < 0) continue;
      threads.splice(place, 1);
      if (threads.length === 0) this.#pull(core, cpu.socket);
      break;
    }
    this.#settle();
  }

  #pull(core: number, socket: number): void {
    const crowded = [...this.#cores.values()].filter((threads) => threads.length > 1);
    const from = crowded.find(([{ socket: theirs }]) => theirs === socket) ?? crowded[0];
    if (from) this.#cores.set(core, [from.pop()!]);
    else this.#cores.delete(core);
  }

  #settle(): void {
    const { allCoreSlowdown, siblingSlowdown } = this.#values;
    const clocks = this.#perSocket.map((n) => 1 + (allCoreSlowdown - 1) * Math.min(1, n / this.#coresPerSocket));
    for (const threads of this.#cores.values()) {
      for (const cpu of threads) cpu.slow = clocks[cpu.socket] * (threads.length > 1 ? siblingSlowdown : 1);
    }
  }
}
