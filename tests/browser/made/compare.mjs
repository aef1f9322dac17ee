// A made-up comparison: six contenders over the same two waves.

import { BINS, load, numbers, round } from "./numbers.mjs";

const CONTENDERS = [
  ["static 12", 24.1, 0.999, 1],
  ["hpa", 13.2, 0.962, 0.9],
  ["queue depth", 14.6, 0.991, 0.95],
  ["kpa", 12.9, 0.941, 1.1],
  ["forecast", 15.9, 0.994, 0.8],
  ["static 6", 11.8, 0.702, 3],
];

export function compare() {
  const runs = [];
  const rows = CONTENDERS.map(([label, usd, attainment, delay], index) => {
    for (const seed of index === 1 ? [7, 8] : [7])
      runs.push({ label, seed, series: overlaid(label, seed, delay) });
    const spread = (mean, part) => ({ mean, ci95: round(mean * part, 5) });
    return {
      label,
      keeps_slo: attainment > 0.99,
      values: {
        usd: spread(usd, 0.03),
        attainment: spread(attainment, 0.004),
        gpu_hours: spread(round(usd / 2.79, 3), 0.03),
        ttft_p99_s: spread(round(delay * 1.7, 3), 0.08),
        tbt_p99_s: spread(0.06, 0.02),
        drain_s: index === 0 ? { mean: null, ci95: null } : spread(20 + index, 0.1),
        scale_ups: spread(index * 4, 0.1),
      },
    };
  });
  rows.sort((a, b) => b.keeps_slo - a.keeps_slo || a.values.usd.mean - b.values.usd.mean);
  rows.forEach((row, index) => {
    row.rank = index + 1;
  });
  return {
    kind: "compare",
    version: "0.1.0",
    name: "six ways through two waves",
    slo: { objectives: ["ttft.p99<2s"] },
    columns: [
      { key: "usd", title: "cost", unit: "$", better: "lower" },
      { key: "attainment", title: "attainment", unit: "share", better: "higher" },
      { key: "gpu_hours", title: "GPU-hours", unit: "h", better: "lower" },
      { key: "ttft_p99_s", title: "TTFT p99", unit: "s", better: "lower" },
      { key: "tbt_p99_s", title: "TBT p99", unit: "s", better: "lower" },
      { key: "drain_s", title: "drain, mean", unit: "s", better: "lower" },
      { key: "scale_ups", title: "scale-ups", unit: "", better: null },
    ],
    rows,
    classes: rows.flatMap((row) => [
      ofClass(row, "chat", row.keeps_slo),
      ofClass(row, "batch", null),
    ]),
    pareto: { x: "usd", y: "attainment" },
    runs,
    left_out: [{ name: "oracle", reason: "it needs a trace that can be read twice" }],
  };
}

// Figures of the fleet are not told apart by class.
function ofClass({ label, rank, values }, name, keeps) {
  const { ttft_p99_s, tbt_p99_s, attainment } = values;
  return {
    label,
    rank,
    class: name,
    keeps_slo: keeps,
    values: { ttft_p99_s, tbt_p99_s, ...(keeps === null ? {} : { attainment }) },
  };
}

function overlaid(label, seed, delay) {
  const random = numbers(seed * 1000 + label.length);
  const length = 560 + Math.round(delay * 20);
  const width = length / BINS;
  const start = Array.from({ length: BINS }, (_, bin) => round(bin * width));
  const fixed = label.startsWith("static") ? Number(label.split(" ")[1]) : null;
  const active = start.map((t) => fixed ?? Math.max(3, Math.round(load(t - 25 * delay) * 0.75)));
  const pressure = start.map((t, bin) => load(t) / (active[bin] * 1.4));
  return {
    start_s: start,
    width_s: width,
    active,
    starting: start.map((t, bin) => Math.max(0, (active[bin + 8] ?? active[bin]) - active[bin])),
    draining: start.map((t, bin) => Math.max(0, (active[bin - 10] ?? active[bin]) - active[bin])),
    waiting: pressure.map((value) => round(Math.max(0, value - 0.9) * 40 * delay, 3)),
    ttft_p99_s: pressure.map((value, bin) =>
      bin % 50 === 49 ? null : round(0.3 + value ** 3 * (0.8 + random() * 0.4), 4),
    ),
    tbt_p99_s: pressure.map((value) => round(0.03 + value * 0.02 * (0.9 + random() * 0.2), 5)),
    arrived_per_s: start.map((t) => round(load(t), 3)),
  };
}
