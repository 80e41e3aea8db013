/** Why there is no end: the loop an actor is in, as the functions it keeps coming back to. */
const LONGEST = 3000;
/** Times a loop must be seen to be called one. */
const ROUNDS = 3;
/** Functions told of one loop. */
const TOLD = 12;

/** `sites`: an actor's last places, oldest first. */
export function explainLoop(sites: readonly number[], functionOf: (site: number) => string): string {
  if (sites.length === 0) return "nothing done";
  const period = periodOf(sites);
  if (period === 0) return `no loop, last in ${functionOf(sites[sites.length - 1])}`;
  const loop = [...new Set(sites.slice(sites.length - period).map(functionOf))];
  const more = loop.length > TOLD ? ` and ${loop.length - TOLD} more` : "";
  return `a loop of ${period} events in ${loop.slice(0, TOLD).join(", ")}${more}`;
}

/** The shortest period of the end of the list, 0 when there is none. */
function periodOf(sites: readonly number[]): number {
  const end = sites.length - 1;
  for (let period = 1; period <= LONGEST && period * ROUNDS <= sites.length; period++) {
    const first = sites.length - period * (ROUNDS - 1);
    let i = end;
    while (i >= first && sites[i] === sites[i - period]) i--;
    if (i < first) return period;
  }
  return 0;
}
