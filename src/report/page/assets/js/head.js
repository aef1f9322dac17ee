// The head of a run: what it was, whether it kept its SLO, and its totals.

function runHead(run) {
  return element(
    "header",
    { class: "head" },
    element(
      "div",
      { class: "title" },
      element("h1", {}, run.name || "run"),
      element(
        "div",
        { class: "facts" },
        fact("seed", String(run.seed)),
        run.digest && fact("digest", digestButton(run.digest)),
        fact("simulated", formatSeconds(run.simulated_s)),
        isNumber(run.wall_s) && fact("in", formatSeconds(run.wall_s)),
        isNumber(run.events_handled) && fact("events", formatNumber(run.events_handled)),
      ),
      themeButton(),
    ),
    run.incomplete &&
      element("p", { class: "incomplete", role: "alert" }, element("b", {}, "Incomplete. "), run.incomplete),
    run.notes?.length > 0 &&
      element(
        "details",
        { class: "notes" },
        element("summary", {}, plural(run.notes.length, "note")),
        element(
          "ul",
          {},
          run.notes.map((note) => element("li", {}, note)),
        ),
      ),
  );
}

const fact = (name, value) => element("span", { class: "fact" }, element("small", {}, name), " ", value);

function digestButton(digest) {
  const button = element("button", { type: "button", class: "digest", title: "Copy the digest" }, digest);
  button.addEventListener("click", async () => {
    const said = (await copyText(digest)) ? "copied" : "select it to copy";
    button.dataset.said = said;
    setTimeout(() => delete button.dataset.said, 1500);
  });
  return button;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // a file opened from disk may not be allowed to
  }
}

function sloSection({ slo, classes }) {
  if (!slo || slo.objectives.length === 0) {
    return section(
      "slo",
      "SLO",
      null,
      classes?.some((one) => one.slo)
        ? nothing("The scenario's objectives are those of its classes, below.")
        : [
            nothing(
              "The scenario sets no service level objective, so nothing is judged here. One would be, for example:",
            ),
            element("p", {}, element("code", {}, "slo: ttft.p99<2s, tbt.p99<100ms")),
          ],
    );
  }
  const lines = slo.objectives.map((one) =>
    element(
      "li",
      { class: one.met ? "met" : "missed" },
      element("b", { class: "mark", "aria-label": one.met ? "met" : "missed" }, one.met ? "✓" : "✗"),
      element("span", { class: "objective" }, one.objective),
      element("span", { class: "value" }, objectiveValue(one, one.value_s)),
      element(
        "span",
        { class: "against" },
        isNumber(one.limit_s) ? `against ${objectiveValue(one, one.limit_s)}` : "",
      ),
    ),
  );
  return section(
    "slo",
    "SLO",
    null,
    element("ul", { class: "slo" }, lines),
    isNumber(slo.attainment) &&
      element(
        "p",
        { class: "attainment" },
        `${formatShare(slo.attainment)} of the arrived requests kept every limit.`,
      ),
  );
}

const objectiveValue = (objective, value) =>
  isNumber(value) ? formatSeconds(value) : "no value: nothing completed";

function totalsSection(run) {
  const { requests, cost, scaling } = run.totals;
  const rate = (amount) => (run.simulated_s > 0 ? amount / run.simulated_s : null);
  return section(
    "totals",
    "Totals",
    null,
    element(
      "div",
      { class: "tiles" },
      tile("requests", formatNumber(requests.arrived), [
        `${formatNumber(requests.completed)} completed`,
        withReasons(requests.rejected, "rejected", requests.rejected_by_reason),
        withReasons(requests.unfinished, "unfinished", requests.unfinished_by_stage),
      ]),
      tile("throughput", `${formatNumber(rate(requests.completed))} /s`, [
        `${formatNumber(rate(run.totals.prompt_tokens))} prompt tokens/s`,
        `${formatNumber(rate(run.totals.output_tokens))} output tokens/s`,
      ]),
      tile("GPU-hours", formatNumber(cost?.gpu_hours?.total), [costBar(cost?.gpu_hours)]),
      tile("cost", cost?.usd ? formatDollars(cost.usd.total) : UNKNOWN, [
        cost?.usd ? `${formatDollars(cost.usd.idle)} of it idle` : "no price is set",
        cost?.energy_kwh &&
          `${formatNumber(cost.energy_kwh.total)} kWh${cost.energy_by_phase_kwh ? "" : " at most"}`,
      ]),
      tile("scaling", `${formatNumber(scaling.scale_ups)} up · ${formatNumber(scaling.scale_downs)} down`, [
        `${formatNumber(scaling.refused)} refused`,
        drainedLine(run),
      ]),
    ),
  );
}

const tile = (name, value, lines) =>
  element(
    "div",
    { class: "tile" },
    element("h3", {}, name),
    element("p", { class: "big" }, value),
    lines.filter(Boolean).map((line) => element("p", {}, line)),
  );

function withReasons(count, word, reasons = {}) {
  const named = Object.entries(reasons ?? {}).map(
    ([reason, many]) => `${readable(reason)} ${formatNumber(many)}`,
  );
  return `${formatNumber(count)} ${word}${named.length ? ` (${named.join(", ")})` : ""}`;
}

function drainedLine(run) {
  const { draining, removed } = run.instances;
  const lengths = draining
    .map((start, row) => (start === null || removed[row] === null ? null : removed[row] - start))
    .filter(isNumber);
  if (lengths.length === 0) return "none drained";
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  return `${formatNumber(lengths.length)} drained in ${formatSeconds(mean)} on average, ${formatSeconds(lengths.reduce((a, b) => Math.max(a, b)))} at most`;
}

const COST_PARTS = [
  ["serving", "active"],
  ["starting", "starting"],
  ["draining", "draining"],
  ["idle", "idle"],
];

function costBar(hours) {
  if (!hours || !(hours.total > 0)) return null;
  const parts = COST_PARTS.map(([name, shade]) => ({ name, shade, share: (hours[name] ?? 0) / hours.total }));
  return element(
    "span",
    { class: "cost" },
    element(
      "span",
      { class: "bar", "aria-hidden": "true" },
      parts.map((part) =>
        element("i", { style: { width: `${part.share * 100}%`, background: `var(--${part.shade})` } }),
      ),
    ),
    parts.map((part) =>
      element(
        "span",
        { class: "part" },
        element("i", { class: "swatch", style: { background: `var(--${part.shade})` } }),
        `${part.name} ${formatShare(part.share)}`,
      ),
    ),
  );
}

// Gaps between tokens are known only where an engine tells them.
const LATENCIES = [
  ["TTFT", (totals) => totals.ttft_s],
  ["TBT", (totals) => totals.tbt_s],
  ["TPOT", (totals) => totals.tpot_s],
  ["token gap", (totals) => totals.engine?.token_gap_s],
  ["longest gap", (totals) => totals.longest_gap_s],
  ["E2E", (totals) => totals.e2e_s],
  ["queue", (totals) => totals.queue_s],
];
const STATISTICS = ["mean", "p50", "p90", "p99", "max"];

function latencySection(totals) {
  return section("latencies", "Latencies", null, latencyTable(totals));
}

function latencyTable(totals) {
  if (!totals.requests.completed) return nothing("No request completed, so there are no latencies to tell.");
  return element(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Latencies" },
    element(
      "table",
      { class: "latencies" },
      element("caption", { class: "unseen" }, "Latencies of completed requests"),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          element("th", { scope: "col" }, "latency"),
          STATISTICS.map((one) => element("th", { scope: "col", class: "number" }, one)),
        ),
      ),
      element(
        "tbody",
        {},
        LATENCIES.map(([name, of]) => [name, of(totals)])
          .filter(([, latency]) => isNumber(latency?.mean))
          .map(([name, latency]) =>
            element(
              "tr",
              {},
              element("th", { scope: "row" }, name),
              STATISTICS.map((one) => element("td", { class: "number" }, formatSeconds(latency[one]))),
            ),
          ),
      ),
    ),
  );
}
