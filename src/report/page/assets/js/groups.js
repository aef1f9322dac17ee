// Parts of a run side by side: classes of requests, each with what was promised to it, and pools whose engines count.

function classesSection(run) {
  const rows = run.classes ?? [];
  if (rows.length === 0) return null;
  const latency = (key, statistic, title) => ({
    key: `${key}.${statistic}`,
    title: `${title} ${statistic}`,
    number: true,
    value: (row) => rows[row][key]?.[statistic] ?? null,
    show: (row) => formatSeconds(rows[row][key]?.[statistic]),
  });
  const has = (of) => rows.some((_, row) => of(row) !== null && of(row) !== undefined && of(row) !== 0);
  const priority = (row) => rows[row].priority;
  const tenant = (row) => rows[row].tenant;
  const longest = latency("longest_gap_s", "p99", "longest gap");
  const columns = [
    { key: "class", title: "class", value: (row) => rows[row].class },
    has(tenant) && { key: "tenant", title: "tenant", value: tenant, choices: true },
    has(priority) && { key: "priority", title: "priority", number: true, value: priority },
    {
      key: "arrived",
      title: "requests",
      number: true,
      value: (row) => rows[row].requests.arrived,
      show: (row) => formatNumber(rows[row].requests.arrived),
    },
    {
      key: "unserved",
      title: "unserved",
      number: true,
      value: (row) => rows[row].requests.arrived - rows[row].requests.completed,
      show: (row) => formatNumber(rows[row].requests.arrived - rows[row].requests.completed),
    },
    latency("ttft_s", "p50", "TTFT"),
    latency("ttft_s", "p99", "TTFT"),
    latency("tbt_s", "p99", "TBT"),
    has(longest.value) && longest,
    latency("e2e_s", "p50", "E2E"),
    latency("e2e_s", "p99", "E2E"),
    {
      key: "attained",
      title: "attained",
      number: true,
      help: "requests that kept every limit of their class, of all of it that arrived",
      value: (row) => rows[row].slo?.attainment ?? null,
      show: (row) => formatShare(rows[row].slo?.attainment),
    },
    {
      key: "objectives",
      title: "objectives",
      value: (row) => (rows[row].slo?.objectives ?? []).map((one) => one.objective).join(", "),
      show: (row) => objectivesOf(rows[row].slo),
      wide: true,
    },
  ].filter(Boolean);
  return section(
    "classes",
    "Classes",
    run.classes_total > rows.length
      ? `${formatNumber(rows.length)} of ${formatNumber(run.classes_total)} classes. classes.csv in the run's directory has all of them.`
      : "Classes of requests, each judged by its own objectives.",
    new DataTable({
      id: "classes-table",
      caption: "Classes of requests",
      columns,
      count: rows.length,
      what: "row",
      filterFrom: 12,
    }).box,
  );
}

// "✓ ttft.p99<4s 2.77 s", one after the other.
function objectivesOf(slo) {
  if (!slo) return UNKNOWN;
  return slo.objectives.map((one) =>
    element(
      "span",
      { class: "verdict" },
      element(
        "b",
        { class: one.met ? "mark met" : "mark missed", "aria-label": one.met ? "met" : "missed" },
        one.met ? "✓" : "✗",
      ),
      ` ${one.objective} `,
      element("small", {}, formatSeconds(one.value_s)),
    ),
  );
}

function enginesSection(run) {
  const engines = run.engines;
  if (!engines?.pool?.length) return null;
  const figure = (key, title, show) => ({
    key,
    title,
    number: true,
    value: (row) => engines[key][row],
    show: (row) => show(engines[key][row]),
  });
  return section(
    "engines",
    "Engines",
    "What the engines of each pool counted.",
    new DataTable({
      id: "engines-table",
      caption: "Engines by pool",
      columns: [
        { key: "pool", title: "pool", value: (row) => run.pools[engines.pool[row]] },
        figure("iterations", "iterations", formatNumber),
        figure("preemptions", "preemptions", formatNumber),
        figure("prefix_hit_rate", "prefix cache hits", formatShare),
        figure("prefix_queried_tokens", "of tokens", formatNumber),
        figure("token_gap_p50_s", "token gap p50", formatSeconds),
        figure("token_gap_p99_s", "token gap p99", formatSeconds),
      ],
      count: engines.pool.length,
      what: "pool",
      filterFrom: 12,
    }).box,
  );
}
