/**
 * cli/predict/plot.ts: operations a second against CPUs, as SVG: a line with error bars for each policy, the ideal, and the published
 * points of the same machine and workload on the same axes; below it, where the threads' time went at the most CPUs.
 *
 * echarts draws to a string, without a browser. It is loaded when a plot is asked for: a megabyte that nothing else needs.
 */
import type { EChartsOption, SeriesOption } from "echarts";
import type { Published } from "../../predict/published.js";
import type { Point } from "./points.js";
import { nameOf } from "./table.js";

const WIDTH = 960;
const HEIGHT = 640;
const COLOURS = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#a463f2", "#9c6b4e", "#97bbf5"];
const SPENT_COLOURS = ["#3ca951", "#97bbf5", "#efb118", "#ff725c", "#a4262c", "#6b3fa0", "#4269d0", "#9498a0"];

export async function plotSvg(points: readonly Point[], published: readonly Published[]): Promise<string> {
  return render(scaling(points, published));
}

/** The stacked bars: shares of the threads' time, by policy, at the most CPUs. */
export async function spentSvg(points: readonly Point[]): Promise<string> {
  return render(spent(points));
}

async function render(option: EChartsOption): Promise<string> {
  const echarts = await import("echarts");
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height: HEIGHT });
  try {
    chart.setOption({ animation: false, color: COLOURS, backgroundColor: "#ffffff", ...option });
    return chart.renderToSVGString();
  } finally {
    // Its timers would keep the process alive.
    chart.dispose();
  }
}

function scaling(points: readonly Point[], published: readonly Published[]): EChartsOption {
  const [{ machine, workload }] = points;
  const groups = groupsOf(points);
  const lines = [...groups].flatMap(([name, group], i) => lineWithErrors(name, group, COLOURS[i % COLOURS.length]));
  const dots = published
    .filter((table) => table.machine === machine && table.workload === workload)
    .flatMap((table) => publishedDots(table, [...groups.keys()], points));
  return {
    title: { text: `${workload} on ${machine}`, left: "center" },
    legend: { top: 30, type: "scroll" },
    grid: { left: 80, right: 30, top: 70, bottom: 60 },
    xAxis: { type: "log", logBase: 2, name: "CPUs", nameLocation: "middle", nameGap: 30, min: 1 },
    yAxis: { type: "log", name: "operations a second", axisLabel: { formatter: (n: number) => short(n) } },
    series: [...lines, ...dots, ideal(points)],
  };
}

function lineWithErrors(name: string, group: readonly Point[], color: string): SeriesOption[] {
  const bars = group.filter(({ error }) => error > 0);
  return [
    { name, type: "line", symbolSize: 5, color, data: group.map(({ cpus, rate }) => [cpus, rate]) },
    {
      name,
      type: "custom",
      color,
      data: bars.map(({ cpus, rate, error }) => [cpus, Math.max(rate - error, rate / 100), rate + error]),
      renderItem: (_, api) => {
        const [x, low] = api.coord([api.value(0), api.value(1)]);
        const [, high] = api.coord([api.value(0), api.value(2)]);
        const line = (x1: number, y1: number, x2: number, y2: number) => ({
          type: "line" as const,
          shape: { x1, y1, x2, y2 },
          style: { stroke: color, lineWidth: 1 },
        });
        return {
          type: "group",
          children: [line(x, low, x, high), line(x - 3, low, x + 3, low), line(x - 3, high, x + 3, high)],
        };
      },
    },
  ];
}

/** Published figures, put on the predicted base's first point: the model promises ratios. */
function publishedDots(table: Published, names: readonly string[], points: readonly Point[]): SeriesOption[] {
  const base = points.find(({ policy, cpus }) => policy === table.base && cpus === table.cpus[0]);
  const first = table.columns[table.base][0];
  if (!base || first === null) return [];
  return Object.entries(table.columns).flatMap(([policy, column]) => {
    const at = names.findIndex((name) => name.startsWith(`${policy} /`));
    if (at < 0) return [];
    const data = column.flatMap((figure, i) =>
      figure === null ? [] : [[table.cpus[i], (figure / first) * base.rate]],
    );
    return [
      {
        name: `${policy}, published (${table.name})`,
        type: "scatter",
        symbol: "emptyDiamond",
        symbolSize: 10,
        color: COLOURS[at % COLOURS.length],
        data,
      } satisfies SeriesOption,
    ];
  });
}

function ideal(points: readonly Point[]): SeriesOption {
  const one = points.find(({ cpus }) => cpus === 1) ?? points[0];
  const most = Math.max(...points.map(({ cpus }) => cpus));
  const perCpu = one.rate / one.cpus;
  return {
    name: "ideal",
    type: "line",
    symbol: "none",
    color: "#9498a0",
    lineStyle: { type: "dashed", width: 1 },
    data: [
      [1, perCpu],
      [most, most * perCpu],
    ],
  };
}

function spent(points: readonly Point[]): EChartsOption {
  const last = [...groupsOf(points)].map(([name, group]) => ({ name, point: group[group.length - 1] }));
  const kinds = Object.keys(points[0].spent);
  return {
    title: { text: `where the time went, ${points[0].workload}`, left: "center" },
    color: SPENT_COLOURS,
    legend: { top: 30 },
    grid: { left: 190, right: 30, top: 70, bottom: 40 },
    xAxis: { type: "value", max: 100, name: "%" },
    yAxis: { type: "category", data: last.map(({ name, point }) => `${name}, ${point.cpus} CPUs`) },
    series: kinds.map((kind) => ({
      name: kind,
      type: "bar",
      stack: "time",
      data: last.map(({ point }) => Number((100 * point.spent[kind]).toFixed(1))),
    })),
  };
}

function groupsOf(points: readonly Point[]): Map<string, Point[]> {
  const groups = new Map<string, Point[]>();
  for (const point of points) {
    const name = nameOf(point);
    groups.set(name, [...(groups.get(name) ?? []), point]);
  }
  return groups;
}

function short(n: number): string {
  if (n >= 1e6) return `${n / 1e6} M`;
  return n >= 1e3 ? `${n / 1e3} k` : `${n}`;
}
