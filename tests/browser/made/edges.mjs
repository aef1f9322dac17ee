// Runs at the edges of what a page must bear.

import { BINS } from "./numbers.mjs";
import { run } from "./run.mjs";

const emptyTable = (table) => Object.fromEntries(Object.keys(table).map((key) => [key, []]));
const noPercentiles = { mean: null, p50: null, p90: null, p99: null, max: null };

// A fleet that served nobody: every percentile is unknown.
export function nothingCompleted() {
  const data = run({ instanceCount: 3 });
  data.name = "nothing completed";
  data.incomplete = "stopped at --until 600 s with 40 requests in the system";
  Object.assign(data.totals.requests, { completed: 0, unfinished: 4199 });
  for (const key of ["ttft_s", "tbt_s", "tpot_s", "e2e_s", "queue_s"]) data.totals[key] = noPercentiles;
  for (const key of ["ttft_s", "tbt_s", "e2e_s"])
    data.series[key] = {
      p50: new Array(BINS).fill(null),
      p90: new Array(BINS).fill(null),
      p99: new Array(BINS).fill(null),
    };
  data.slo = {
    objectives: [
      { objective: "ttft.p99<2s", kind: "ttft", statistic: "p99", limit_s: 2, value_s: null, met: false },
    ],
    met: false,
    attainment: 0,
  };
  data.slowest = [];
  data.distributions = { ttft_s: null, tbt_s: null, e2e_s: null, queue_s: null, drain_s: null };
  return data;
}

// A run that kept no rows of requests, without SLO, without price, with a fleet that nobody scales.
export function summaryOnly() {
  const data = run({ instanceCount: 2 });
  data.name = "summary only";
  for (const key of [
    "arrived_per_s",
    "completed_per_s",
    "prompt_tokens_per_s",
    "output_tokens_per_s",
    "waiting",
    "prefilling",
    "transferring",
    "decoding",
    "ttft_s",
    "tbt_s",
    "e2e_s",
    "usd",
  ])
    data.series[key] = null;
  data.series.kv_share = [];
  data.pools = ["untagged"];
  data.classes = [];
  data.engines = emptyTable(data.engines);
  data.series.fleet = [{ ...data.series.fleet[1], pool: 0 }];
  data.series.busy_share = [{ ...data.series.busy_share[1], pool: 0 }];
  Object.assign(data.instances, {
    pool: [0, 0],
    draining: [null, null],
    removed: [null, null],
    active: [0, 0],
    created: [0, 0],
    started_by: ["start", "start"],
    drained_by: [null, null],
  });
  for (const key of ["decisions", "actions", "log", "events"]) data[key] = emptyTable(data[key]);
  Object.assign(data, {
    slo: null,
    slowest: [],
    notes: [],
    decisions_total: 0,
    log_total: 0,
    events_total: 0,
  });
  data.totals.cost.usd = data.totals.cost.energy_kwh = null;
  data.distributions = { ttft_s: null, tbt_s: null, e2e_s: null, queue_s: null, drain_s: null };
  return data;
}

export const oneInstance = () => Object.assign(run({ instanceCount: 1 }), { name: "one instance" });

export const largest = () =>
  Object.assign(run({ instanceCount: 20000 }), {
    name: "the largest file",
    instances_total: 31000,
    decisions_total: 40000,
  });

export const HOSTILE = `</script><img src=x onerror="document.title='owned'">{{title}}`;

export function hostile() {
  const data = run({});
  Object.assign(data, {
    name: HOSTILE,
    digest: HOSTILE,
    incomplete: HOSTILE,
    notes: [HOSTILE],
    pools: [HOSTILE, "token"],
    skus: [HOSTILE, HOSTILE],
  });
  data.totals.requests.rejected_by_reason = { [HOSTILE]: 12 };
  data.slo.objectives[0].objective = HOSTILE;
  for (const key of ["policy", "reason", "inputs", "outcome", "limited_by"])
    data.decisions[key] = data.decisions[key].map(() => HOSTILE);
  data.actions.text = [HOSTILE];
  for (const key of ["event", "target", "detail"]) data.events[key] = data.events[key].map(() => HOSTILE);
  return data;
}
