/** `faultline bench` end to end, briefly: every row is there and every figure is one. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

test("bench fault writes a row for each policy beside its rivals", { timeout: 90_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "faultline-bench-"));
  try {
    const file = join(folder, "rows.json");
    const brief = ["--threads", "1,2", "--samples", "1", "--milliseconds", "20", "--json", file];
    const { status, stdout } = spawnSync(process.execPath, [
      join(ROOT, "tools/launch.mjs"),
      "bench",
      "fault",
      ...brief,
    ]);
    expect(status).toBe(0);
    expect(stdout.toString().split("\n")[0]).toBe("./faultline bench fault --threads 1,2 --samples 1");
    const rows = JSON.parse(readFileSync(file, "utf8")) as {
      name: string;
      threads: number;
      pages: number;
      rate: number;
    }[];
    for (const pages of [64, 32768]) {
      for (const threads of [1, 2]) {
        const names = rows.filter((row) => row.pages === pages && row.threads === threads).map(({ name }) => name);
        expect(names).toEqual(expect.arrayContaining(["mmap-lock", "spf", "vma-lock", "optimistic", "zeroing alone"]));
      }
    }
    for (const { rate } of rows) expect(rate).toBeGreaterThan(1000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an unknown bench is named", () => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "tools/launch.mjs"), "bench", "flaut"]);
  expect(status).toBe(2);
  expect(stderr.toString()).toMatch(/^faultline: [^\n]*fault[^\n]*\n$/);
});
