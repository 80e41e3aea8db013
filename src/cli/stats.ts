/** `run --stats`: what a guest's memory did, as a small table a person reads. */
import Table from "cli-table3";
import type picocolors from "picocolors";
import type { MachineStats } from "../run/stats.js";

type Colours = ReturnType<typeof picocolors.createColors>;

const NO_LINES = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "  ",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

export function statsReport(stats: MachineStats, colours: Colours): string {
  const { faults, optimistic, spf, vma_lock: vmaLock, latency_ns: latency, tlb, tables, rcu } = stats;
  const seconds = stats.wall_ms / 1000;
  const table = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colAligns: ["left", "right", "left"],
  });
  const add = (name: string, value: string, note = "") => table.push([name, colours.bold(value), colours.dim(note)]);
  add("page faults", count(faults.total), `${count(faults.total / seconds)} a second`);
  add("  anonymous", count(faults.anon));
  add("  file", count(faults.file));
  add("  copy on write", count(faults.cow));
  add("  spurious", count(faults.spurious), "already served by another thread");
  add("  under mmapLock", count(faults.locked), share(faults.locked, faults.total));
  if (optimistic.attempt > 0) {
    add("optimistic tries", count(optimistic.attempt));
    add("  looked up again", count(optimistic.retry), share(optimistic.retry, optimistic.attempt));
    add("  fell back", count(optimistic.fallback), share(optimistic.fallback, optimistic.attempt));
  }
  if (spf.attempt > 0) {
    add("speculative tries", count(spf.attempt));
    add("  aborted", count(spf.abort), share(spf.abort, spf.attempt));
    for (const [reason, n] of Object.entries(spf.abort_reason)) if (n > 0) add(`    ${reason}`, count(n));
  }
  if (vmaLock.success + vmaLock.abort > 0) {
    add("VMA locked", count(vmaLock.success));
    add("  could not be", count(vmaLock.abort), share(vmaLock.abort, vmaLock.success + vmaLock.abort));
    add("  dropped for I/O", count(vmaLock.retry));
    add("  found detached", count(vmaLock.miss));
  }
  const quantiles = `p99 ${time(latency.p99)}, max ${time(latency.max)}`;
  add("fault latency, p50", latency.p50 === 0 ? "-" : time(latency.p50), latency.p50 === 0 ? "not sampled" : quantiles);
  add("TLB shootdowns", count(tlb.shootdowns), `${count(tlb.ipis)} IPIs`);
  add(
    "page tables",
    count(tables.allocated),
    `${count(tables.freed)} freed, ${count(tables.deferred)} of them deferred`,
  );
  add("RCU grace periods", count(rcu.grace_periods));
  add("instructions", count(stats.instructions), `${count(stats.instructions / seconds)} a second`);
  add("wall time", `${seconds.toFixed(3)} s`);
  for (const [name, n] of Object.entries(stats.unknown_calls)) add(`call ${name}`, count(n), "unknown: ENOSYS");
  const lines = table.toString().split("\n");
  return `\n${colours.bold("memory of the run")}\n${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

function count(n: number): string {
  return Math.round(n).toLocaleString("en-US");
}

function share(part: number, whole: number): string {
  return whole === 0 ? "" : `${((100 * part) / whole).toFixed(2)} %`;
}

function time(ns: number): string {
  if (ns < 1000) return `${ns} ns`;
  if (ns < 1e6) return `${(ns / 1000).toFixed(1)} µs`;
  return `${(ns / 1e6).toFixed(1)} ms`;
}
