/**
 * Which logical CPU is where, and how far two of them are apart.
 *
 *   socket ⊃ complex (CPUs that share a last-level cache) ⊃ core ⊃ thread
 *
 * Placement   what Linux's balancer makes of threads that never sleep: a socket keeps them to itself while they are fewer than
 *             `localShare` of its CPUs; from then on they are spread evenly. In a socket, the next thread goes to the complex
 *             with the fewest, on a core of its own while there is one, then to a sibling.
 *             Linux: kernel/sched/fair.c:allow_numa_imbalance, a quarter of the node's CPUs (5.11 to 5.17).
 */
export interface Topology {
  readonly sockets: number;
  readonly complexesPerSocket: number;
  readonly coresPerComplex: number;
  readonly threadsPerCore: number;
}

/** Of two places; the cost of a line's way is looked up by it. */
export enum Distance {
  Same = 0,
  Sibling = 1,
  Complex = 2,
  Socket = 3,
  Remote = 4,
}

export interface Place {
  readonly socket: number;
  /** Numbered over the whole machine. */
  readonly complex: number;
  readonly core: number;
}

export function cpusOf({ sockets, complexesPerSocket, coresPerComplex, threadsPerCore }: Topology): number {
  return sockets * complexesPerSocket * coresPerComplex * threadsPerCore;
}

/** The places of `n` threads. */
export function places(topology: Topology, n: number, localShare: number): Place[] {
  const { sockets, complexesPerSocket, coresPerComplex, threadsPerCore } = topology;
  const perSocket = complexesPerSocket * coresPerComplex;
  const together = n < localShare * perSocket * threadsPerCore;
  return Array.from({ length: n }, (_, i) => {
    const socket = together ? 0 : i % sockets;
    const inSocket = (together ? i : Math.floor(i / sockets)) % perSocket;
    const complex = socket * complexesPerSocket + (inSocket % complexesPerSocket);
    return { socket, complex, core: complex * coresPerComplex + Math.floor(inSocket / complexesPerSocket) };
  });
}

/** Row by row, who is how far from whom. */
export function distances(at: readonly Place[]): Uint8Array {
  const n = at.length;
  const table = new Uint8Array(n * n);
  for (let a = 0; a < n; a++)
    for (let b = 0; b < n; b++) table[a * n + b] = a === b ? Distance.Same : between(at[a], at[b]);
  return table;
}

function between(a: Place, b: Place): Distance {
  if (a.core === b.core) return Distance.Sibling;
  if (a.complex === b.complex) return Distance.Complex;
  return a.socket === b.socket ? Distance.Socket : Distance.Remote;
}
