// The charts of a run and its lanes, one below the other on one time axis.

function runCharts(run, timeline, lifecycle) {
  const edges = binEdges(run.series ?? {});
  if (!edges)
    return section("charts", "Over time", null, nothing("The run kept no course over time."), lifecycle);
  const specs = [
    fleetChart,
    rateChart,
    stageChart,
    latencyChart("ttft", "TTFT"),
    latencyChart("tbt", "TBT"),
    latencyChart("e2e", "E2E"),
    poolChart("kv_share", "KV cache in use"),
    poolChart("busy_share", "Utilisation"),
    tokenChart,
    costChart,
  ].map((describe) => describe(run));
  const charts = new Map();
  const shown = specs.map((spec) => {
    if (!spec.series) return emptyChart(spec);
    const chart = new TimeChart(timeline, { ...spec, edges });
    charts.set(spec.id, chart);
    return chart.figure;
  });
  const made = section(
    "charts",
    "Over time",
    null,
    timeBar(timeline, poolChoice(run, charts)),
    element("div", { class: "charts" }, shown),
    lifecycle,
  );
  return Object.assign(made, {
    draw: () => {
      for (const chart of charts.values()) chart.draw();
    },
  });
}

const emptyChart = (spec) =>
  element(
    "div",
    { class: "chart empty", id: `chart-${spec.id}` },
    nothing(spec.empty),
    element("div", { class: "caption" }, element("h3", {}, spec.title)),
  );

function poolChoice(run, charts) {
  if (run.pools.length < 2) return null;
  return choice("pool", [["", "all"], ...run.pools.map((name, index) => [String(index), name])], (value) => {
    const pool = value === "" ? null : Number(value);
    charts.get("fleet")?.setValues(fleetOf(run.series.fleet, pool));
    for (const id of ["kv_share", "busy_share"]) {
      for (const one of charts.get(id)?.spec.series ?? [])
        charts.get(id).legend.toggle(one.key, pool === null || one.key === `pool-${pool}`);
    }
  });
}

function fleetChart(run) {
  const { fleet, arrived_per_s } = run.series;
  if (!fleet?.length) return { id: "fleet", title: "Fleet", empty: "The run had no instance." };
  const statuses = fleetOf(fleet, null);
  return {
    id: "fleet",
    title: "Fleet",
    unit: "instances",
    height: 190,
    rightFormat: (value) => `${formatNumber(value)}/s`,
    series: [
      ...["active", "draining", "starting"].map((status) => ({
        key: status,
        label: status,
        color: status,
        stacked: true,
        values: statuses[status],
      })),
      ...(hasValues(arrived_per_s)
        ? [
            {
              key: "load",
              label: "offered load",
              color: "ink",
              axis: "right",
              width: 1.25,
              values: arrived_per_s,
            },
          ]
        : []),
    ],
  };
}

function rateChart(run) {
  const { arrived_per_s, completed_per_s } = run.series;
  const series = [
    ["arrived", "arrived", arrived_per_s, "ink"],
    ["completed", "completed", completed_per_s, "active"],
  ]
    .filter(([, , values]) => hasValues(values))
    .map(([key, label, values, shade]) => ({ key, label, values, color: shade }));
  if (series.length === 0)
    return {
      id: "rate",
      title: "Requests",
      empty: "The run kept no rows of requests, so their course over time is unknown.",
    };
  return { id: "rate", title: "Requests", unit: "per second", series };
}

// From the bottom up: what waits is few among many and stands where it can be read, on the axis.
const STAGES = ["waiting", "prefilling", "transferring", "decoding"];

function stageChart(run) {
  const series = STAGES.filter((key) => hasValues(run.series[key])).map((key) => ({
    key,
    label: key,
    color: `stage-${key}`,
    stacked: true,
    values: run.series[key],
  }));
  if (series.length === 0)
    return {
      id: "stages",
      title: "In the system",
      empty: "The run kept no rows of requests, so how many waited is unknown.",
    };
  return { id: "stages", title: "In the system", unit: "requests", series };
}

const PERCENTILES = ["p50", "p90", "p99"];

const latencyChart = (kind, title) => (run) => {
  const percentiles = run.series[`${kind}_s`];
  const id = kind;
  if (!percentiles)
    return { id, title, empty: `The run kept no rows of requests, so ${title} over time is unknown.` };
  const series = PERCENTILES.filter((one) => hasValues(percentiles[one])).map((one) => ({
    key: one,
    label: one,
    color: one,
    values: percentiles[one],
  }));
  if (series.length === 0)
    return { id, title, empty: `No request completed, so there is no ${title} over time.` };
  const limits = (run.slo?.objectives ?? [])
    .filter((one) => one.kind === kind && isNumber(one.limit_s))
    .map((one) => ({ value: one.limit_s, label: `${one.statistic} ${asMark(formatSeconds)(one.limit_s)}` }));
  return { id, title, unit: perBin(run.series), format: formatSeconds, series, limits };
};

const poolChart = (key, title) => (run) => {
  const pools = (run.series[key] ?? []).filter((one) => hasValues(one.values));
  if (pools.length === 0)
    return {
      id: key,
      title,
      empty: `No instance tells its share, so there is no picture of this one: ${title.toLowerCase()}.`,
    };
  return {
    id: key,
    title,
    share: true,
    format: formatShare,
    unit: key === "kv_share" ? "share of capacity" : "busy share of instance time",
    series: pools.map((one) => ({
      key: `pool-${one.pool}`,
      label: run.pools[one.pool] ?? `pool ${one.pool}`,
      color: manyColor(one.pool),
      dash: manyDash(one.pool),
      values: one.values,
    })),
  };
};

function tokenChart(run) {
  const series = [
    ["prompt", "prompt, offered", run.series.prompt_tokens_per_s, "many-4"],
    ["output", "output, produced", run.series.output_tokens_per_s, "active"],
  ]
    .filter(([, , values]) => hasValues(values))
    .map(([key, label, values, shade]) => ({ key, label, values, color: shade }));
  if (series.length === 0)
    return {
      id: "tokens",
      title: "Tokens",
      empty: "The run kept no rows of requests, so tokens over time are unknown.",
    };
  return { id: "tokens", title: "Tokens", unit: "per second", series };
}

function costChart(run) {
  const { gpus, usd } = run.series;
  if (!hasValues(gpus)) return { id: "cost", title: "GPUs paid for", empty: "No GPU was paid for." };
  return {
    id: "cost",
    title: "GPUs paid for",
    unit: "GPUs",
    rightFormat: formatDollars,
    series: [
      { key: "gpus", label: "GPUs", color: "idle", stacked: true, values: gpus },
      ...(hasValues(usd)
        ? [{ key: "usd", label: "spent so far", color: "ink", axis: "right", values: usd }]
        : []),
    ],
  };
}
