/**
 * bench/gate.ts: where the threads of a sample meet, and when each began and ended its part of a round.
 *
 *   u32 arrivals of the sample │ arrivals at its meetings │ the last round? │ –      f64 × 2 each thread: begin, end
 *
 * What a thread wrote before a meeting all may read after it, until the next.
 */
const TIMES = 16;
/** Of a round that counts, this share all threads were at work together. */
const TOGETHER = 0.75;

export function gateBytes(threads: number): number {
  return TIMES + 16 * threads;
}

export function timesOf(gate: SharedArrayBuffer): Float64Array {
  return new Float64Array(gate, TIMES);
}

/** Nanoseconds from the first begin to the last end; NaN when the host let threads run one after another. */
export function roundOf(times: Float64Array, threads: number): number {
  const at = Array.from({ length: threads }, (_, i) => ({
    begin: times[2 * i] as number,
    end: times[2 * i + 1] as number,
  }));
  const begins = at.map(({ begin }) => begin);
  const ends = at.map(({ end }) => end);
  const round = Math.max(...ends) - Math.min(...begins);
  return Math.min(...ends) - Math.max(...begins) >= TOGETHER * round ? round : Number.NaN;
}
