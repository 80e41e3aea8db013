/** Why there is no end: the loop each actor is in, as the places it keeps coming back to. */
const LONGEST = 3000;
/** Times a loop must be seen to be called one. */
const ROUNDS = 3;
/** Places told of one loop. */
const TOLD = 8;

/** The last places of one actor, oldest first. */
export function explainLoop(places: readonly string[]): string {
  const period = periodOf(places);
  if (period === 0) return `no loop, last at ${places[places.length - 1] ?? "nothing"}`;
  const loop = [...new Set(places.slice(places.length - period))];
  const more = loop.length > TOLD ? ` and ${loop.length - TOLD} more` : "";
  return `a loop of ${period} events: ${loop.slice(0, TOLD).join(", ")}${more}`;
}

/** The shortest period of the end of the list, 0 when there is none. */
function periodOf(places: readonly string[]): number {
  const n = places.length;
  for (let period = 1; period <= LONGEST && period * ROUNDS <= n; period++) {
    let i = n - 1;
    while (i >= n - period * (ROUNDS - 1) && places[i] === places[i - period]) i--;
    if (i < n - period * (ROUNDS - 1)) return period;
  }
  return 0;
}
