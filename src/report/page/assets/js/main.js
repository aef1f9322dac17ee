// Reads the data, chooses the page for its kind, puts it together, and only then draws: plots need a place first.

function runPage(run) {
  const timeline = new Timeline(run.simulated_s);
  const causes = new Causes(run);
  const tables = new FleetTables(run, causes);
  const lifecycle = lanesSection(run, causes, timeline, new LanePanel(run, causes, tables));
  tables.openLane = (row) => lifecycle.lanes?.open(row);
  const openById = (id) => {
    const row = tables.instanceRow.get(id);
    if (row !== undefined) tables.openLane(row);
  };
  const charts = runCharts(run, timeline, lifecycle);
  const distributions = distributionSection(run);
  const overview = [sloSection(run), totalsSection(run), latencySection(run.totals)];
  const classes = classesSection(run);
  const parts = [charts, enginesSection(run), ...tables.sections(), waterfallSection(run, openById), distributions].filter(Boolean);
  return {
    page: [
      runHead(run),
      contents([classes, charts, lifecycle, ...parts.slice(1)].filter(Boolean)),
      element(
        "main",
        { id: "content", tabindex: "-1" },
        element("div", { class: "overview" }, overview),
        classes,
        parts,
      ),
      footer(run),
    ],
    draw: () => {
      for (const part of [charts, lifecycle, distributions]) part.draw?.();
    },
  };
}

function contents(parts) {
  return element(
    "nav",
    { class: "contents", "aria-label": "Sections" },
    parts.map((part) => element("a", { href: `#${part.id}` }, part.querySelector("h2").textContent)),
  );
}

function start() {
  const data = JSON.parse(document.getElementById("run-data").textContent);
  const made = data.kind === "compare" ? comparePage(data) : runPage(data);
  document.body.append(...made.page);
  made.draw();
  document.documentElement.dataset.ready = "";
}

start();
