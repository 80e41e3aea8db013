/** cli/nearest.ts: for a name that does not exist, those that look like it. */

/** "there is no scenario fault-mumap; the nearest: fault-munmap, fault-remap": the end of a usage error. */
export function unknownName(kind: string, name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  const hint = near.length > 0 ? `; the nearest: ${near.join(", ")}` : "";
  return `there is no ${kind} ${JSON.stringify(name)}${hint}`;
}

/** At most three, the most alike first; one at least, unless there are no names. */
export function nearest(name: string, names: readonly string[]): string[] {
  const ranked = names
    .map((candidate) => ({ candidate, far: distance(name, candidate) }))
    .sort((a, b) => a.far - b.far || (a.candidate < b.candidate ? -1 : 1));
  const best = ranked[0]?.far ?? 0;
  return ranked
    .filter(({ far }) => far <= best + 1)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Letters to insert, remove, replace, or exchange with their neighbour (optimal string alignment). */
export function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
      }
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}
