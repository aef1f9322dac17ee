// A made-up fleet over time, with the load and the latencies that go with it.

import { BINS, load, round } from "./numbers.mjs";

const share = (from, to, start, end) =>
  Math.max(0, Math.min(to, end) - Math.max(from, start)) / (end - start);

function fleetSeries(table, simulated) {
  const width = simulated / BINS;
  const pools = [0, 1].map((pool) => ({
    pool,
    starting: new Array(BINS).fill(0),
    active: new Array(BINS).fill(0),
    draining: new Array(BINS).fill(0),
  }));
  table.id.forEach((_, row) => {
    const end = table.removed[row] ?? simulated;
    const [active, draining] = [table.active[row] ?? end, table.draining[row] ?? end];
    const into = pools[table.pool[row]];
    for (let bin = 0; bin < BINS; bin += 1) {
      const [from, to] = [bin * width, (bin + 1) * width];
      into.starting[bin] += share(table.created[row], active, from, to);
      into.active[bin] += share(active, draining, from, to);
      into.draining[bin] += share(draining, end, from, to);
    }
  });
  for (const pool of pools)
    for (const status of ["starting", "active", "draining"])
      pool[status] = pool[status].map((value) => round(value, 4));
  return pools;
}

export function seriesOf(fleetTable, random, simulated) {
  const width = simulated / BINS;
  const times = Array.from({ length: BINS }, (_, bin) => round(bin * width));
  const pools = fleetSeries(fleetTable, simulated);
  const total = times.map((_, bin) =>
    pools.reduce((sum, pool) => sum + pool.active[bin] + pool.draining[bin], 0),
  );
  const noisy = (value, amount = 0.15) => round(Math.max(0, value * (1 + (random() - 0.5) * 2 * amount)), 4);
  const arrived = times.map((t) => noisy(load(t), 0.3));
  const pressure = times.map((t, bin) => load(t) / (total[bin] * 1.3 + 1));
  const percentiles = (base, power) => {
    const p50 = pressure.map((value, bin) =>
      bin > BINS - 6 || bin % 41 === 40 ? null : noisy(base * (0.6 + value ** power)),
    );
    return {
      p50,
      p90: p50.map((value) => (value === null ? null : noisy(value * 2.1))),
      p99: p50.map((value) => (value === null ? null : noisy(value * 4.2, 0.3))),
    };
  };
  const gpus = total.map((_, bin) =>
    round(
      4 * pools.reduce((sum, pool) => sum + pool.active[bin] + pool.draining[bin] + pool.starting[bin], 0),
      3,
    ),
  );
  let spent = 0;
  return {
    start_s: times,
    width_s: width,
    fleet: pools,
    arrived_per_s: arrived,
    completed_per_s: times.map((t) => noisy(load(Math.max(0, t - 14)) * 0.97)),
    prompt_tokens_per_s: arrived.map((value) => round(value * 1150, 2)),
    output_tokens_per_s: times.map((t) => noisy(load(t - 10) * 220)),
    waiting: pressure.map((value) => noisy(Math.max(0, value - 0.9) * 30)),
    prefilling: pressure.map((value) => noisy(value * 2)),
    transferring: pressure.map((value) => noisy(value * 0.8)),
    decoding: times.map((t) => noisy(load(t - 8) * 9)),
    ttft_s: percentiles(0.22, 3),
    tbt_s: percentiles(0.028, 1),
    e2e_s: percentiles(6, 1.5),
    kv_share: [0, 1].map((pool) => ({
      pool,
      values: pressure.map((value) => round(Math.min(1, noisy(value * (pool ? 0.6 : 0.25))), 4)),
    })),
    busy_share: [0, 1].map((pool) => ({
      pool,
      values: pressure.map((value) => round(Math.min(1, noisy(value * (pool ? 0.85 : 0.55), 0.1)), 4)),
    })),
    gpus,
    usd: gpus.map((count) => round((spent += (count * width * 2.79) / 3600), 4)),
  };
}
