// Beside a chart: its name, and its series as switches with their values: at the moment that all charts
// point at, or else the highest in view (the bar above the charts says which).

const swatch = (one) =>
  element("i", {
    class: `swatch${one.stacked ? "" : " line"}`,
    style: { background: `var(--${one.color})` },
  });

class Legend {
  constructor(chart) {
    this.chart = chart;
    const { title, unit, limits = [], note } = chart.spec;
    this.values = new Map();
    this.caption = element(
      "figcaption",
      {},
      element("h3", {}, title, unit && element("small", {}, unit)),
      element(
        "ul",
        { class: "legend" },
        [...chart.spec.series].map((one) => this.item(one)),
      ),
      limits.map((limit) => element("small", { class: "limit" }, `limit ${limit.label}`)),
      note && element("small", {}, note),
    );
  }

  item(one) {
    const value = element("output");
    this.values.set(one.key, value);
    const button = element(
      "button",
      { type: "button", "aria-pressed": String(!one.hidden), "data-key": one.key },
      swatch(one),
      element("span", {}, one.label),
      value,
    );
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      if (this.onToggle) this.onToggle(one.key, shown);
      else this.toggle(one.key, shown);
    });
    return element("li", {}, button);
  }

  toggle(key, shown) {
    this.caption
      .querySelector(`[data-key="${CSS.escape(key)}"]`)
      ?.setAttribute("aria-pressed", String(shown));
    this.chart.setShown(key, shown);
  }

  // The values of one bin, in the order of the legend.
  readings(bin) {
    const { series, format = formatNumber, rightFormat = formatNumber } = this.chart.spec;
    return series.map((one) => {
      if (this.chart.hidden.has(one.key)) return null;
      let at = bin;
      while (at > 0 && one.values[at] === undefined) at -= 1;
      return [one, (one.axis === "right" ? rightFormat : format)(one.values[at])];
    });
  }

  update() {
    const { timeline, spec } = this.chart;
    const bin = timeline.moment === null ? null : this.chart.binAt(timeline.moment);
    const readings = bin === null ? this.peaks() : this.readings(bin);
    readings.forEach((reading, index) => {
      this.values.get(spec.series[index].key).textContent = reading ? reading[1] : "";
    });
  }

  peaks() {
    const { chart } = this;
    const { series, format = formatNumber, rightFormat = formatNumber } = chart.spec;
    const [first, last] = [chart.binAt(chart.timeline.from), chart.binAt(chart.timeline.to)];
    return series.map((one) => {
      if (chart.hidden.has(one.key)) return null;
      let peak = null;
      for (let bin = first; bin <= last; bin += 1)
        if (isNumber(one.values[bin]) && (peak === null || one.values[bin] > peak)) peak = one.values[bin];
      return [one, (one.axis === "right" ? rightFormat : format)(peak)];
    });
  }
}
