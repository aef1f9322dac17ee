// The page of a comparison: contenders ranked in a table, their cost against what they kept, their runs overlaid.

function comparePage(data) {
  const timeline = new Timeline(
    Math.max(...data.runs.map((run) => (run.series.start_s.at(-1) ?? 0) + run.series.width_s), 0),
  );
  const charts = overlays(data, timeline);
  const kept = data.slo?.objectives?.map((one) => (typeof one === "string" ? one : one.objective)).join(", ");
  const page = [
    element(
      "header",
      { class: "head" },
      element(
        "div",
        { class: "title" },
        element("h1", {}, data.name || document.title.replace(/ · Ebbflow$/, "")),
        element(
          "div",
          { class: "facts" },
          fact("contenders", String(data.rows.length)),
          data.seeds > 1 && fact("seeds", String(data.seeds)),
          kept && fact("SLO", kept),
        ),
        themeButton(),
      ),
    ),
    element(
      "main",
      { id: "content", tabindex: "-1" },
      section(
        "ranking",
        "Ranking",
        data.slo
          ? "Contenders that keep the SLO come first."
          : "No SLO was set, so contenders are not told apart by it.",
        compareTable(data, data.rows, { id: "ranking-table", caption: "Contenders", what: "contender" }),
        leftOut(data),
      ),
      classSection(data),
      data.pareto &&
        section(
          "pareto",
          "Cost against what it bought",
          "The line joins the contenders that no other beats in both. A hollow one misses the SLO; bars are ±95 %.",
          paretoPicture(data),
        ),
      charts.section,
    ),
    footer(data),
  ];
  return { page, draw: () => charts.draw() };
}

// Contenders that could not run, with the reason.
function leftOut(data) {
  if (!data.left_out?.length) return null;
  return element(
    "ul",
    { class: "left-out" },
    data.left_out.map((one) => element("li", {}, element("b", {}, one.name), ` was left out: ${one.reason}`)),
  );
}

function compareFormat(column) {
  if (column.unit === "$") return formatDollars;
  if (column.unit === "s") return formatSeconds;
  if (column.unit === "%" || column.unit === "share") return formatShare;
  return formatNumber;
}

// "4.20 ± 0.10"; a single run has no spread to tell.
function withSpread(column, value) {
  if (!isNumber(value?.mean)) return UNKNOWN;
  const format = compareFormat(column);
  return isNumber(value.ci95) && value.ci95 > 0
    ? `${format(value.mean)} ± ${format(value.ci95)}`
    : format(value.mean);
}

// What each class of requests got from each contender.
function classSection(data) {
  const rows = data.classes ?? [];
  if (rows.length === 0) return null;
  return section(
    "classes",
    "Classes",
    "Each class of requests, judged by its own objectives.",
    compareTable(data, rows, { id: "classes-table", caption: "Classes by contender", what: "row" }),
  );
}

// Rows of contenders, or of classes of their requests.
function compareTable(data, rows, { id, caption, what }) {
  const shade = new Map(data.rows.map((row, index) => [row.label, manyColor(index)]));
  const columns = [
    { key: "rank", title: "rank", number: true, value: (row) => rows[row].rank },
    {
      key: "label",
      title: "contender",
      value: (row) => rows[row].label,
      show: (row) =>
        element(
          "span",
          { class: "contender" },
          element("i", { class: "swatch", style: { background: `var(--${shade.get(rows[row].label)})` } }),
          rows[row].label,
        ),
    },
    rows.some((row) => row.class) && {
      key: "class",
      title: "class",
      value: (row) => rows[row].class,
      choices: true,
    },
    rows.some((row) => typeof row.keeps_slo === "boolean") && {
      key: "slo",
      title: "SLO",
      value: (row) => ({ true: "✓", false: "✗" })[rows[row].keeps_slo] ?? "",
      show: (row) => sloMark(rows[row].keeps_slo),
    },
    ...data.columns
      .filter((column) => rows.some((row) => isNumber(row.values[column.key]?.mean)))
      .map((column) => ({
        key: column.key,
        title: column.title,
        unit: column.unit && !["s", "$", "%", "share"].includes(column.unit) ? column.unit : "",
        number: true,
        help: column.better ? `${column.better} is better` : null,
        value: (row) => rows[row].values[column.key]?.mean ?? null,
        show: (row) => spreadCell(column, rows[row].values[column.key], isBest(rows, column, row)),
      })),
  ].filter(Boolean);
  if (rows.some((row) => isNumber(row.gap_to_oracle))) columns.push(oracleColumn(rows));
  return new DataTable({
    id,
    caption,
    columns,
    count: rows.length,
    what,
    rowId: (row) => `${id}-${row}`,
  }).box;
}

function oracleColumn(rows) {
  const show = (gap) => (isNumber(gap) ? `${gap >= 0 ? "+" : "−"}${formatShare(Math.abs(gap))}` : UNKNOWN);
  return {
    key: "gap",
    title: "gap to oracle",
    number: true,
    help: "cost above the oracle's",
    value: (row) => rows[row].gap_to_oracle,
    show: (row) => show(rows[row].gap_to_oracle),
  };
}

function sloMark(keeps) {
  if (keeps === null || keeps === undefined) return UNKNOWN;
  return element(
    "b",
    { class: keeps ? "mark met" : "mark missed", "aria-label": keeps ? "kept" : "missed" },
    keeps ? "✓" : "✗",
  );
}

function spreadCell(column, value, best) {
  if (!isNumber(value?.mean)) return UNKNOWN;
  const format = compareFormat(column);
  return element(
    "span",
    { class: best ? "best" : null },
    format(value.mean),
    value.ci95 > 0 && element("small", {}, ` ± ${format(value.ci95)}`),
  );
}

// Among all contenders, of a class among those of its name.
function isBest(rows, column, row) {
  if (!column.better) return false;
  const alike = rows.filter((one) => one.class === rows[row].class);
  const means = alike.map((one) => one.values[column.key]?.mean).filter((mean) => isNumber(mean));
  const best = column.better === "lower" ? Math.min(...means) : Math.max(...means);
  return means.length > 1 && rows[row].values[column.key]?.mean === best;
}

const OVERLAYS = [
  ["fleet", "Fleet", "active instances", (series) => series.active, formatNumber, 170],
  [
    "paid",
    "Paid for",
    "starting + active + draining",
    (series) => addUp([series.starting, series.active, series.draining]),
    formatNumber,
  ],
  ["waiting", "Waiting", "requests", (series) => series.waiting, formatNumber],
  ["ttft", "TTFT p99", "of each bin", (series) => series.ttft_p99_s, formatSeconds],
  ["tbt", "TBT p99", "of each bin", (series) => series.tbt_p99_s, formatSeconds],
];

// All contenders in each chart. A switch in one legend switches the contender everywhere.
function overlays(data, timeline) {
  const charts = OVERLAYS.map(([id, title, unit, pick, format, height]) =>
    overlay(data, timeline, { id, title, unit, format, height }, pick),
  ).filter(Boolean);
  if (charts.length === 0)
    return {
      section: section("charts", "Over time", null, nothing("No contender kept its course over time.")),
      draw: () => {},
    };
  const load = offeredLoad(data, timeline);
  for (const chart of charts)
    chart.legend.onToggle = (key, shown) => {
      for (const other of charts) other.legend.toggle(key, shown);
    };
  return {
    section: section(
      "charts",
      "Over time",
      "Choose contenders in any legend.",
      timeBar(timeline),
      element(
        "div",
        { class: "charts" },
        [load, ...charts].map((chart) => chart?.figure),
      ),
    ),
    draw: () => {
      for (const chart of [load, ...charts]) chart?.draw();
    },
  };
}

function overlay(data, timeline, spec, pick) {
  const place = new Map(data.rows.map((row, index) => [row.label, index]));
  const labels = data.runs.map((run) => run.label);
  const runs = data.runs
    .map((run, index) => ({ ...run, values: pick(run.series), edges: binEdges(run.series), index }))
    .filter((run) => run.edges && hasValues(run.values));
  if (runs.length === 0) return null;
  const tables = runs.map((run) => [run.edges, [...run.values, null]]);
  const [edges, ...columns] = runs.length === 1 ? tables[0] : uPlot.join(tables);
  const series = runs.map((run, index) => {
    const many = labels.filter((label) => label === run.label).length > 1;
    const at = place.get(run.label) ?? run.index;
    return {
      key: run.seed === undefined ? run.label : `${run.label} ${run.seed}`,
      label: many ? `${run.label} · seed ${run.seed}` : run.label,
      color: manyColor(at),
      dash: manyDash(at),
      values: columns[index].slice(0, -1),
    };
  });
  return new TimeChart(timeline, { ...spec, edges, series });
}

// One line is enough: all contenders are offered the same requests.
function offeredLoad(data, timeline) {
  const run = data.runs.find((one) => hasValues(one.series.arrived_per_s));
  const edges = run && binEdges(run.series);
  if (!edges) return null;
  const series = [
    { key: "offered load", label: "the same for all", color: "ink", values: run.series.arrived_per_s },
  ];
  return new TimeChart(timeline, {
    id: "load",
    title: "Offered load",
    unit: "requests per second",
    height: 90,
    edges,
    series,
  });
}
