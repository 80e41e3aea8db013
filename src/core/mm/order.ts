/**
 * Puts a list of frames in the order of their addresses.
 *
 * Why        clearing a page in the host's memory costs 190 ns when pages come in ascending order and 560 ns in random order
 *            (docs/performance.md); frames that were freed and taken a few times over come in random order.
 * Algorithm  Shell sort, in place, with Ciura's gaps: the lists are at most GATHER_FRAMES long, and mostly in order
 *            already, where it costs seven passes.
 */

/** `n` u32 at `list`, ascending. */
export function sortFrames(list: usize, n: u32): void {
  if (n > 301) sortGap(list, n, 301);
  if (n > 132) sortGap(list, n, 132);
  sortGap(list, n, 57);
  sortGap(list, n, 23);
  sortGap(list, n, 10);
  sortGap(list, n, 4);
  sortGap(list, n, 1);
}

function sortGap(list: usize, n: u32, gap: u32): void {
  const back = (<usize>gap) << 2;
  const end = list + ((<usize>n) << 2);
  for (let at = list + back; at < end; at += 4) {
    const value = load<u32>(at);
    let to = at;
    while (to >= list + back && load<u32>(to - back) > value) {
      store<u32>(to, load<u32>(to - back));
      to -= back;
    }
    if (to != at) store<u32>(to, value);
  }
}

/** True when nothing needs to be done. */
export function inOrder(list: usize, n: u32): bool {
  for (let i: u32 = 1; i < n; i++) {
    if (load<u32>(list + ((<usize>i) << 2)) < load<u32>(list + ((<usize>(i - 1)) << 2))) return false;
  }
  return true;
}
