// Made-up runs in the shape that the page is given, always the same: a plausible one, and the edges.

// A small generator of numbers, so that a sample is the same on every machine.
function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

const round = (value, digits = 6) => Number(value.toFixed(digits));
const BINS = 240;

const load = (t) => 4 + 14 * Math.exp(-(((t - 200) / 70) ** 2)) + 8 * Math.exp(-(((t - 430) / 40) ** 2));

// Instances that come and go after the load, prompt and token pools, each start and drain with its decision.
function fleet(random, instanceCount, simulated) {
  const table = Object.fromEntries(["id", "application", "server", "sku", "gpus", "pool", "created", "active", "draining", "removed", "busy_s", "tasks", "started_by", "drained_by"].map((key) => [key, []]));
  const servers = { id: [], sku: [], gpus: [], created: [], removed: [] };
  const first = Math.max(1, Math.round(instanceCount / 4));
  for (let index = 0; index < instanceCount; index += 1) {
    const early = index < first;
    const grown = (index - first) / Math.max(1, instanceCount - first);
    const created = early ? 0 : round(60 + grown * 330 + random() * 8, 3);
    const cancelled = !early && index % 17 === 11;
    const active = early ? 0 : cancelled ? null : round(created + 20 + random() * 12, 3);
    const drains = !cancelled && (!early || index === 0) && index % 5 !== 4;
    const draining = drains ? round(Math.min(simulated - 30, (active ?? 0) + 90 + random() * 140), 3) : null;
    const open = drains && index % 13 === 12;
    const removed = cancelled ? round(created + 9, 3) : drains && !open ? round(Math.min(simulated, draining + 2 + random() * random() * 60), 3) : null;
    const row = { id: index, application: 0, server: Math.floor(index / 2), sku: index % 2, gpus: 4, pool: index % 3 === 2 ? 0 : 1, created, active, draining, removed,
      busy_s: round(((removed ?? simulated) - (active ?? simulated)) * (0.4 + random() * 0.5), 3), tasks: cancelled ? 0 : Math.round(20 + random() * 200),
      started_by: early ? "start" : index % 11 === 7 ? "a1" : index % 11 === 9 ? "scheduler" : `d${index}`, drained_by: drains ? `d${instanceCount + index}` : null };
    for (const [key, value] of Object.entries(row)) table[key].push(value);
    if (index % 2 === 0) for (const [key, value] of Object.entries({ id: index / 2, sku: 0, gpus: 8, created: Math.max(0, created - 5), removed: null })) servers[key].push(value);
  }
  return { table, servers };
}

function decisionsOf({ table }, random, idle) {
  const rows = [];
  const moves = table.id.flatMap((id, row) => [
    table.started_by[row]?.startsWith("d") && { n: Number(table.started_by[row].slice(1)), time: Math.max(0, table.created[row] - 0.5), up: true, id, pool: table.pool[row] },
    table.drained_by[row]?.startsWith("d") && { n: Number(table.drained_by[row].slice(1)), time: Math.max(0, table.draining[row] - 0.5), up: false, id, pool: table.pool[row] }].filter(Boolean));
  for (const move of moves.slice(0, 1900)) {
    const before = 3 + Math.floor(random() * 6);
    const raw = before + (move.up ? 1 : -1);
    rows.push({ n: move.n, application: 0, time: round(move.time, 3), policy: move.pool === 0 ? "hpa" : "queue_depth", pool: move.pool, active: before, starting: move.up ? 1 : 0, draining: move.up ? 0 : 1,
      inputs: `queue[60]=${(random() * 9).toFixed(1)}@1.5 ttft_p99[60]=${(random() * 3).toFixed(2)}@2.0`, raw, limited_by: random() < 0.1 ? "max_surge" : "", wanted: raw,
      reason: move.up ? "queue per instance above its target for 30 s" : "utilisation below 0.35 in the stable window", outcome: move.up ? `started instance_${move.id}` : `drains instance_${move.id}` });
  }
  for (let index = 0; index < idle; index += 1) {
    rows.push({ n: 100000 + index, application: 0, time: 15 * index, policy: "hpa", pool: null, active: 6, starting: 0, draining: 0, inputs: "utilisation=0.52@0.60", raw: 6, limited_by: "", wanted: null, reason: "within the tolerance of 10 %", outcome: "held" });
  }
  rows.sort((a, b) => a.time - b.time);
  const numbers = new Map(rows.map((row, index) => [`d${row.n}`, `d${index}`]));
  for (const key of ["started_by", "drained_by"]) table[key] = table[key].map((cause) => numbers.get(cause) ?? cause);
  rows.forEach((row, index) => { row.n = index; });
  return Object.fromEntries(["n", "application", "time", "policy", "pool", "active", "starting", "draining", "inputs", "raw", "limited_by", "wanted", "reason", "outcome"].map((key) => [key, rows.map((row) => row[key])]));
}

const share = (from, to, start, end) => Math.max(0, Math.min(to, end) - Math.max(from, start)) / (end - start);

function fleetSeries(table, simulated) {
  const width = simulated / BINS;
  const pools = [0, 1].map((pool) => ({ pool, starting: new Array(BINS).fill(0), active: new Array(BINS).fill(0), draining: new Array(BINS).fill(0) }));
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
  for (const pool of pools) for (const status of ["starting", "active", "draining"]) pool[status] = pool[status].map((value) => round(value, 4));
  return pools;
}

function seriesOf(fleetTable, random, simulated) {
  const width = simulated / BINS;
  const times = Array.from({ length: BINS }, (_, bin) => round(bin * width));
  const pools = fleetSeries(fleetTable, simulated);
  const total = times.map((_, bin) => pools.reduce((sum, pool) => sum + pool.active[bin] + pool.draining[bin], 0));
  const noisy = (value, amount = 0.15) => round(Math.max(0, value * (1 + (random() - 0.5) * 2 * amount)), 4);
  const arrived = times.map((t) => noisy(load(t), 0.3));
  const pressure = times.map((t, bin) => load(t) / (total[bin] * 1.3 + 1));
  const percentiles = (base, power) => {
    const p50 = pressure.map((value, bin) => (bin > BINS - 6 || bin % 41 === 40 ? null : noisy(base * (0.6 + value ** power))));
    return { p50, p90: p50.map((value) => (value === null ? null : noisy(value * 2.1))), p99: p50.map((value) => (value === null ? null : noisy(value * 4.2, 0.3))) };
  };
  const gpus = total.map((_, bin) => round(4 * pools.reduce((sum, pool) => sum + pool.active[bin] + pool.draining[bin] + pool.starting[bin], 0), 3));
  let spent = 0;
  return {
    start_s: times, width_s: width, fleet: pools, arrived_per_s: arrived, completed_per_s: times.map((t) => noisy(load(Math.max(0, t - 14)) * 0.97)),
    prompt_tokens_per_s: arrived.map((value) => round(value * 1150, 2)), output_tokens_per_s: times.map((t) => noisy(load(t - 10) * 220)),
    waiting: pressure.map((value) => noisy(Math.max(0, value - 0.9) * 30)), prefilling: pressure.map((value) => noisy(value * 2)),
    transferring: pressure.map((value) => noisy(value * 0.8)), decoding: times.map((t) => noisy(load(t - 8) * 9)),
    ttft_s: percentiles(0.22, 3), tbt_s: percentiles(0.028, 1), e2e_s: percentiles(6, 1.5),
    kv_share: [0, 1].map((pool) => ({ pool, values: pressure.map((value) => round(Math.min(1, noisy(value * (pool ? 0.6 : 0.25))), 4)) })),
    busy_share: [0, 1].map((pool) => ({ pool, values: pressure.map((value) => round(Math.min(1, noisy(value * (pool ? 0.85 : 0.55), 0.1)), 4)) })),
    gpus, usd: gpus.map((count) => round((spent += (count * width * 2.79) / 3600), 4)),
  };
}

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
    return { id: 100 + index * 7, application: 0, arrival, prompt_tokens: Math.round(400 + random() * 5000), output_tokens: Math.round(80 + random() * 900), first_refusal: index % 9 === 0 ? round(arrival + 0.5) : null,
      scheduled: round(scheduled), prefill: { instance: index % 5, start: round(start), end: round(end) }, transfer: split ? { start: round(end), end: round(decodeStart - 0.005) } : null,
      decode: split ? { instance: 1 + (index % 7), start: round(decodeStart), end: round(done) } : null, recomputed: index % 10 === 3 ? 1 : 0, requeued: index % 14 === 5 ? 2 : 0, e2e_s: round(done - arrival), ttft_s: round(end - arrival) };
  });
}

const latencies = (p50) => ({ mean: round(p50 * 1.3), p50, p90: round(p50 * 2.4), p99: round(p50 * 5), max: round(p50 * 8) });

export function run({ instanceCount = 24, seed = 7 } = {}) {
  const random = numbers(seed);
  const simulated = 600;
  const made = fleet(random, instanceCount, simulated);
  const decisions = decisionsOf(made, random, 30);
  const drained = made.table.draining.filter((value) => value !== null).length;
  const logTimes = made.table.id.flatMap((id, row) => [["start", made.table.created[row], id], ...(made.table.draining[row] === null ? [] : [["drain", made.table.draining[row], id]])]).sort((a, b) => a[1] - b[1]).slice(0, 2000);
  return {
    kind: "run", version: "0.1.0", name: "two waves", seed, digest: "8f14e45fceea167a", incomplete: null, simulated_s: simulated, wall_s: 0.081, events_handled: 184211,
    notes: ["The trace ends at 540 s; the run went on until the last request was done."],
    totals: {
      requests: { arrived: 4211, completed: 4180, rejected: 12, unfinished: 19, rejected_by_reason: { prompt_too_long: 12 }, unfinished_by_stage: { decoding: 15, waiting: 4 } },
      prompt_tokens: 4842650, output_tokens: 926420, ttft_s: latencies(0.171), tbt_s: latencies(0.0311), tpot_s: latencies(0.0332), e2e_s: latencies(7.84), queue_s: latencies(0.02),
      instance_seconds: { all: { total: 5311, active: 4100, scaling_up: 420, draining: 791 }, by_tag: {} }, gpu_seconds: {},
      cost: { gpu_hours: { total: 5.9, serving: 3.1, starting: 0.47, draining: 0.88, idle: 1.45 }, usd: { total: 16.46, serving: 8.65, starting: 1.31, draining: 2.46, idle: 4.04 }, energy_kwh: { total: 3.9 } },
      scaling: { scale_ups: made.table.started_by.filter((cause) => cause !== "start").length, scale_downs: drained, refused: 2 },
    },
    slo: { objectives: [
      { objective: "ttft.p99<2s", kind: "ttft", statistic: "p99", limit_s: 2, value_s: 0.855, met: true },
      { objective: "tbt.p99<100ms", kind: "tbt", statistic: "p99", limit_s: 0.1, value_s: 0.1555, met: false },
      { objective: "e2e.p50<10s", kind: "e2e", statistic: "p50", limit_s: 10, value_s: 7.84, met: true }], met: false, attainment: 0.978 },
    pools: ["prompt", "token"], series: seriesOf(made.table, random, simulated), servers: made.servers, skus: ["dgx-h100", "dgx-a100"], instances: made.table, instances_total: instanceCount,
    decisions, decisions_total: decisions.n.length, actions: { n: [1], time: [120], text: ["scale_up_full count 4 server_sku dgx-h100"] },
    log: { application: logTimes.map(() => 0), time: logTimes.map(([, time]) => time), action: logTimes.map(([action]) => action), target: logTimes.map(([, , id]) => `instance_${id}`), status: logTimes.map(() => "done") }, log_total: logTimes.length,
    events: { application: [0, 0], time: [201.5, 216.5], event: ["refused", "refused"], target: ["token", "instance_3"], detail: ["no server has 4 free GPUs of dgx-h100", "no server has 4 free GPUs of dgx-h100"] }, events_total: 2,
    slowest: slowRequests(random, simulated),
    distributions: { ttft_s: distribution(random, 0.2, 0.9, 4180), tbt_s: distribution(random, 0.033, 0.4, 4180), e2e_s: distribution(random, 8, 0.8, 4180), queue_s: distribution(random, 0.02, 1.2, 4180), drain_s: distribution(random, 12, 1, drained) },
  };
}

const emptyTable = (table) => Object.fromEntries(Object.keys(table).map((key) => [key, []]));
const noPercentiles = { mean: null, p50: null, p90: null, p99: null, max: null };

// A fleet that served nobody: every percentile is unknown.
export function nothingCompleted() {
  const data = run({ instanceCount: 3 });
  data.name = "nothing completed";
  data.incomplete = "stopped at --until 600 s with 40 requests in the system";
  Object.assign(data.totals.requests, { completed: 0, unfinished: 4199 });
  for (const key of ["ttft_s", "tbt_s", "tpot_s", "e2e_s", "queue_s"]) data.totals[key] = noPercentiles;
  for (const key of ["ttft_s", "tbt_s", "e2e_s"]) data.series[key] = { p50: new Array(BINS).fill(null), p90: new Array(BINS).fill(null), p99: new Array(BINS).fill(null) };
  data.slo = { objectives: [{ objective: "ttft.p99<2s", kind: "ttft", statistic: "p99", limit_s: 2, value_s: null, met: false }], met: false, attainment: 0 };
  data.slowest = [];
  data.distributions = { ttft_s: null, tbt_s: null, e2e_s: null, queue_s: null, drain_s: null };
  return data;
}

// A run that kept no rows of requests, without SLO, without price, with a fleet that nobody scales.
export function summaryOnly() {
  const data = run({ instanceCount: 2 });
  data.name = "summary only";
  for (const key of ["arrived_per_s", "completed_per_s", "prompt_tokens_per_s", "output_tokens_per_s", "waiting", "prefilling", "transferring", "decoding", "ttft_s", "tbt_s", "e2e_s", "usd"]) data.series[key] = null;
  data.series.kv_share = [];
  data.pools = ["untagged"];
  data.series.fleet = [{ ...data.series.fleet[1], pool: 0 }];
  data.series.busy_share = [{ ...data.series.busy_share[1], pool: 0 }];
  Object.assign(data.instances, { pool: [0, 0], draining: [null, null], removed: [null, null], active: [0, 0], created: [0, 0], started_by: ["start", "start"], drained_by: [null, null] });
  for (const key of ["decisions", "actions", "log", "events"]) data[key] = emptyTable(data[key]);
  Object.assign(data, { slo: null, slowest: [], notes: [], decisions_total: 0, log_total: 0, events_total: 0 });
  data.totals.cost.usd = data.totals.cost.energy_kwh = null;
  data.distributions = { ttft_s: null, tbt_s: null, e2e_s: null, queue_s: null, drain_s: null };
  return data;
}

export const oneInstance = () => Object.assign(run({ instanceCount: 1 }), { name: "one instance" });

export const largest = () => Object.assign(run({ instanceCount: 20000 }), { name: "the largest file", instances_total: 31000, decisions_total: 40000 });

export const HOSTILE = `</script><img src=x onerror="document.title='owned'">{{title}}`;

export function hostile() {
  const data = run({});
  Object.assign(data, { name: HOSTILE, digest: HOSTILE, incomplete: HOSTILE, notes: [HOSTILE], pools: [HOSTILE, "token"], skus: [HOSTILE, HOSTILE] });
  data.totals.requests.rejected_by_reason = { [HOSTILE]: 12 };
  data.slo.objectives[0].objective = HOSTILE;
  for (const key of ["policy", "reason", "inputs", "outcome", "limited_by"]) data.decisions[key] = data.decisions[key].map(() => HOSTILE);
  data.actions.text = [HOSTILE];
  for (const key of ["event", "target", "detail"]) data.events[key] = data.events[key].map(() => HOSTILE);
  return data;
}

const CONTENDERS = [["static 12", 24.1, 0.999, 1], ["hpa", 13.2, 0.962, 0.9], ["queue depth", 14.6, 0.991, 0.95], ["kpa", 12.9, 0.941, 1.1], ["forecast", 15.9, 0.994, 0.8], ["static 6", 11.8, 0.702, 3]];

export function compare() {
  const runs = [];
  const rows = CONTENDERS.map(([label, usd, attainment, delay], index) => {
    for (const seed of index === 1 ? [7, 8] : [7]) runs.push({ label, seed, series: overlaid(label, seed, delay) });
    const spread = (mean, part) => ({ mean, ci95: round(mean * part, 5) });
    return { label, keeps_slo: attainment > 0.99, values: { usd: spread(usd, 0.03), attainment: spread(attainment, 0.004), gpu_hours: spread(round(usd / 2.79, 3), 0.03), ttft_p99_s: spread(round(delay * 1.7, 3), 0.08), tbt_p99_s: spread(0.06, 0.02), drain_s: index === 0 ? { mean: null, ci95: null } : spread(20 + index, 0.1), scale_ups: spread(index * 4, 0.1) } };
  });
  rows.sort((a, b) => b.keeps_slo - a.keeps_slo || a.values.usd.mean - b.values.usd.mean);
  rows.forEach((row, index) => { row.rank = index + 1; });
  return {
    kind: "compare", version: "0.1.0", name: "six ways through two waves", slo: { objectives: ["ttft.p99<2s"] },
    columns: [{ key: "usd", title: "cost", unit: "$", better: "lower" }, { key: "attainment", title: "attainment", unit: "share", better: "higher" }, { key: "gpu_hours", title: "GPU-hours", unit: "h", better: "lower" },
      { key: "ttft_p99_s", title: "TTFT p99", unit: "s", better: "lower" }, { key: "tbt_p99_s", title: "TBT p99", unit: "s", better: "lower" }, { key: "drain_s", title: "drain, mean", unit: "s", better: "lower" }, { key: "scale_ups", title: "scale-ups", unit: "", better: null }],
    rows, pareto: { x: "usd", y: "attainment" }, runs, left_out: [{ name: "oracle", reason: "it needs a trace that can be read twice" }],
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
  return { start_s: start, width_s: width, active, starting: start.map((t, bin) => Math.max(0, (active[bin + 8] ?? active[bin]) - active[bin])), draining: start.map((t, bin) => Math.max(0, (active[bin - 10] ?? active[bin]) - active[bin])),
    waiting: pressure.map((value) => round(Math.max(0, value - 0.9) * 40 * delay, 3)), ttft_p99_s: pressure.map((value, bin) => (bin % 50 === 49 ? null : round(0.3 + value ** 3 * (0.8 + random() * 0.4), 4))),
    tbt_p99_s: pressure.map((value) => round(0.03 + value * 0.02 * (0.9 + random() * 0.2), 5)), arrived_per_s: start.map((t) => round(load(t), 3)) };
}
