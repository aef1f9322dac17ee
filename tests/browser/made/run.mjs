// A plausible run: two waves of load, a fleet that follows them, drains, refusals, slow requests.

import { decisionsOf, fleet } from "./fleet.mjs";
import { numbers, round } from "./numbers.mjs";
import { seriesOf } from "./series.mjs";

// A distribution with a long tail, binned on a log scale.
function distribution(random, middle, spread, values) {
  const edges = Array.from({ length: 61 }, (_, index) => round((middle / 12) * 10 ** (index / 24), 9));
  const counts = new Array(60).fill(0);
  for (let index = 0; index < values; index += 1) {
    const bell = (random() + random() + random() + random() - 2) * spread;
    const value = middle * Math.exp(bell);
    const bin = edges.findIndex((edge) => edge > value) - 1;
    counts[Math.max(0, bin < 0 ? 59 : bin)] += 1;
  }
  return { edges, counts, values };
}

function slowRequests(random, simulated) {
  return Array.from({ length: 42 }, (_, index) => {
    const arrival = round(60 + random() * (simulated - 200), 3);
    const scheduled = arrival + (index % 4 === 0 ? random() * 6 : 0.002);
    const start = scheduled + random() * 3;
    const end = start + 0.2 + random() * 0.9;
    const decodeStart = end + 0.01 + random() * 0.4;
    const done = decodeStart + 18 + random() * 40;
    const split = index % 6 !== 5;
    return {
      id: 100 + index * 7,
      application: 0,
      arrival,
      prompt_tokens: Math.round(400 + random() * 5000),
      output_tokens: Math.round(80 + random() * 900),
      first_refusal: index % 9 === 0 ? round(arrival + 0.5) : null,
      scheduled: round(scheduled),
      prefill: { instance: index % 5, start: round(start), end: round(end) },
      transfer: split ? { start: round(end), end: round(decodeStart - 0.005) } : null,
      decode: split ? { instance: 1 + (index % 7), start: round(decodeStart), end: round(done) } : null,
      recomputed: index % 10 === 3 ? 1 : 0,
      requeued: index % 14 === 5 ? 2 : 0,
      e2e_s: round(done - arrival),
      ttft_s: round(end - arrival),
    };
  });
}

const latencies = (p50) => ({
  mean: round(p50 * 1.3),
  p50,
  p90: round(p50 * 2.4),
  p99: round(p50 * 5),
  max: round(p50 * 8),
});

export function run({ instanceCount = 24, seed = 7 } = {}) {
  const random = numbers(seed);
  const simulated = 600;
  const made = fleet(random, instanceCount, simulated);
  const decisions = decisionsOf(made, random, 30);
  const drained = made.table.draining.filter((value) => value !== null).length;
  const logTimes = made.table.id
    .flatMap((id, row) => [
      ["start", made.table.created[row], id],
      ...(made.table.draining[row] === null ? [] : [["drain", made.table.draining[row], id]]),
    ])
    .sort((a, b) => a[1] - b[1])
    .slice(0, 2000);
  return {
    kind: "run",
    version: "0.1.0",
    name: "two waves",
    seed,
    digest: "8f14e45fceea167a",
    incomplete: null,
    simulated_s: simulated,
    wall_s: 0.081,
    events_handled: 184211,
    notes: ["The trace ends at 540 s; the run went on until the last request was done."],
    totals: {
      requests: {
        arrived: 4211,
        completed: 4180,
        rejected: 12,
        unfinished: 19,
        rejected_by_reason: { prompt_too_long: 12 },
        unfinished_by_stage: { decoding: 15, waiting: 4 },
      },
      prompt_tokens: 4842650,
      output_tokens: 926420,
      ttft_s: latencies(0.171),
      tbt_s: latencies(0.0311),
      tpot_s: latencies(0.0332),
      longest_gap_s: latencies(0.12),
      engine: { token_gap_s: latencies(0.0311) },
      e2e_s: latencies(7.84),
      queue_s: latencies(0.02),
      instance_seconds: { all: { total: 5311, active: 4100, scaling_up: 420, draining: 791 }, by_tag: {} },
      gpu_seconds: {},
      cost: {
        gpu_hours: { total: 5.9, serving: 3.1, starting: 0.47, draining: 0.88, idle: 1.45 },
        usd: { total: 16.46, serving: 8.65, starting: 1.31, draining: 2.46, idle: 4.04 },
        energy_kwh: { total: 3.9 },
      },
      scaling: {
        scale_ups: made.table.started_by.filter((cause) => cause !== "start").length,
        scale_downs: drained,
        refused: 2,
      },
    },
    slo: {
      objectives: [
        { objective: "ttft.p99<2s", kind: "ttft", statistic: "p99", limit_s: 2, value_s: 0.855, met: true },
        {
          objective: "tbt.p99<100ms",
          kind: "tbt",
          statistic: "p99",
          limit_s: 0.1,
          value_s: 0.1555,
          met: false,
        },
        { objective: "e2e.p50<10s", kind: "e2e", statistic: "p50", limit_s: 10, value_s: 7.84, met: true },
      ],
      met: false,
      attainment: 0.978,
    },
    classes: [
      {
        class: "chat",
        tenant: "web",
        priority: 0,
        requests: { arrived: 3011, completed: 2998 },
        ttft_s: latencies(0.121),
        tbt_s: latencies(0.0301),
        longest_gap_s: latencies(0.0902),
        e2e_s: latencies(6.1),
        slo: {
          objectives: [
            { objective: "ttft.p99<2s", limit_s: 2, value_s: 0.605, met: true },
            { objective: "longest_gap.p99<300ms", limit_s: 0.3, value_s: 0.451, met: false },
          ],
          met: false,
          attainment: 0.961,
        },
      },
      {
        class: "batch",
        tenant: null,
        priority: 5,
        requests: { arrived: 1200, completed: 1182 },
        ttft_s: latencies(0.7),
        tbt_s: latencies(0.041),
        longest_gap_s: latencies(0.2),
        e2e_s: latencies(19.4),
        slo: null,
      },
    ],
    classes_total: 2,
    engines: {
      pool: [0, 1],
      iterations: [40210, 133400],
      preemptions: [0, 37],
      prefix_queried_tokens: [4842650, 0],
      prefix_hit_rate: [0.412, null],
      token_gap_p50_s: [null, 0.0291],
      token_gap_p99_s: [null, 0.0934],
    },
    pools: ["prompt", "token"],
    series: seriesOf(made.table, random, simulated),
    servers: made.servers,
    skus: ["dgx-h100", "dgx-a100"],
    instances: made.table,
    instances_total: instanceCount,
    decisions,
    decisions_total: decisions.n.length,
    actions: { n: [1], time: [120], text: ["scale_up_full count 4 server_sku dgx-h100"] },
    log: {
      application: logTimes.map(() => 0),
      time: logTimes.map(([, time]) => time),
      action: logTimes.map(([action]) => action),
      target: logTimes.map(([, , id]) => `instance_${id}`),
      status: logTimes.map(() => "done"),
    },
    log_total: logTimes.length,
    events: {
      application: [0, 0],
      time: [201.5, 216.5],
      event: ["refused", "refused"],
      target: ["token", "instance_3"],
      detail: ["no server has 4 free GPUs of dgx-h100", "no server has 4 free GPUs of dgx-h100"],
    },
    events_total: 2,
    slowest: slowRequests(random, simulated),
    distributions: {
      ttft_s: distribution(random, 0.2, 0.9, 4180),
      tbt_s: distribution(random, 0.033, 0.4, 4180),
      e2e_s: distribution(random, 8, 0.8, 4180),
      queue_s: distribution(random, 0.02, 1.2, 4180),
      drain_s: distribution(random, 12, 1, drained),
    },
  };
}
