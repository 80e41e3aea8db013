/**
 * cli/predict/html.ts: one self-contained page: plots, tables, the machine's constants with their sources. No script, nothing fetched.
 */
import { CONSTANTS, type ConstantName } from "../../predict/constants.js";
import type { Machine } from "../../predict/machine.js";
import type { Published } from "../../predict/published.js";
import { plotSvg, spentSvg } from "./plot.js";
import type { Point } from "./points.js";
import { millions, nameOf, ns } from "./table.js";

const STYLE =
  "body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em}" +
  "table{border-collapse:collapse;font-size:13px}td,th{border-bottom:1px solid #ddd;padding:2px 8px;text-align:left}" +
  "td.n{text-align:right;font-variant-numeric:tabular-nums}svg{max-width:100%;height:auto}";

export async function htmlReport(
  machine: Machine,
  points: readonly Point[],
  published: readonly Published[],
  command: string,
): Promise<string> {
  const workloads = [...new Set(points.map(({ workload }) => workload))];
  const sections: string[] = [];
  for (const workload of workloads) {
    const some = points.filter((point) => point.workload === workload);
    sections.push(`<h2>${escaped(workload)}</h2>`, await plotSvg(some, published), await spentSvg(some), table(some));
  }
  const title = `faultline predict: ${escaped(machine.name)}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title><style>${STYLE}</style></head><body>
<h1>${title}</h1>
<p>${escaped(machine.about)}. Repeat it: <code>${escaped(command)}</code></p>
<p>Lines are predicted, with the standard error over the seeds; diamonds are published figures, put on the predicted base's first
point, for the model promises ratios and not absolute rates.</p>
${sections.join("\n")}
<h2>Constants</h2>
${constants(machine)}
</body></html>
`;
}

function table(points: readonly Point[]): string {
  const head = ["policy", "CPUs", "per s", "± %", "fault p50", "p99", "max", "IPI p99", "irq off p99"];
  const rows = points.map((point) => [
    nameOf(point),
    `${point.cpus}`,
    millions(point.rate),
    ((100 * point.error) / point.rate).toFixed(1),
    ns(point.faults.p50),
    ns(point.faults.p99),
    ns(point.faults.max),
    point.ipis.count > 0 ? ns(point.ipis.p99) : "-",
    point.irqOff.count > 0 ? ns(point.irqOff.p99) : "-",
  ]);
  return draw(head, rows, 1);
}

function constants(machine: Machine): string {
  const rows = Object.entries(machine.constants).map(([name, { value, unit, source, fitted, sweep, note }]) => [
    name,
    `${value} ${unit}`,
    CONSTANTS[name as ConstantName].about,
    [source ?? (fitted ? `fitted ${fitted}` : "assumed"), sweep ? `swept ${sweep[0]} to ${sweep[1]}` : "", note ?? ""]
      .filter((part) => part !== "")
      .join("; "),
  ]);
  return draw(["constant", "value", "meaning", "source"], rows, 4);
}

function draw(head: readonly string[], rows: readonly string[][], left: number): string {
  const cell = (text: string, i: number) => `<td${i >= left ? ' class="n"' : ""}>${escaped(text)}</td>`;
  const body = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("\n");
  return `<table><tr>${head.map((title) => `<th>${escaped(title)}</th>`).join("")}</tr>\n${body}</table>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
