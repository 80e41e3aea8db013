/** The first of `count` places for which `reached` holds, `count` when there is none: it holds of all that follow one of which it does. */
export function bisect(count: number, reached: (place: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (reached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
