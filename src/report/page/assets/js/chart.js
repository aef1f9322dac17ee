// One chart over the run's time: uPlot draws, the timeline says what stretch, the legend says the values.
//
// A chart is described by { id, title, unit, format, edges, series, … } where edges[i]..edges[i+1] is the bin that
// values[i] belongs to. Bins are drawn as bins, flat from edge to edge: a bin without a value leaves a gap and a
// lonely one stays visible, which a line between points would not show.

const PLOT_GUTTER = { wide: { left: 84, right: 56 }, narrow: { left: 52, right: 40 } };
const PLOT_HEIGHT = 132;
const AXIS_HEIGHT = 20;

const plotGutter = () => (document.documentElement.clientWidth < 700 ? PLOT_GUTTER.narrow : PLOT_GUTTER.wide);

class TimeChart {
  constructor(timeline, spec) {
    this.timeline = timeline;
    this.spec = spec;
    this.hidden = new Set(spec.series.filter((one) => one.hidden).map((one) => one.key));
    // From the back to the front: stacked sums from the highest down, each opaque over the one before, then lines.
    this.layers = [
      ...spec.series.filter((one) => one.stacked).reverse(),
      ...spec.series.filter((one) => !one.stacked),
    ];
    this.hasRight = spec.series.some((one) => one.axis === "right");
    this.plot = element("div", { class: "plot", tabindex: "0", role: "img", "aria-label": this.describe() });
    this.legend = new Legend(this);
    this.figure = element(
      "figure",
      { class: "chart", id: `chart-${spec.id}` },
      this.plot,
      this.legend.caption,
    );
    this.plot.addEventListener("keydown", (event) => timeKey(timeline, event));
  }

  describe() {
    const names = this.spec.series.map((one) => one.label).join(", ");
    return `${this.spec.title} over time: ${names}. Arrow keys pan, plus and minus zoom, 0 shows the whole run.`;
  }

  // Separate from the constructor, because a plot takes its width from where it stands.
  draw() {
    this.u = new uPlot(this.options(), this.shownData(), this.plot);
    this.tip = element("div", { class: "tip", hidden: true });
    this.u.over.append(this.tip);
    this.plot.addEventListener("mousedown", (event) => this.pan(event), { capture: true }); // before uPlot starts a zoom
    timeWheel(this.timeline, this.u.over, (event) => this.momentAt(event));
    this.timeline.onWindow.push(() =>
      this.u.setScale("x", { min: this.timeline.from, max: this.timeline.to }),
    );
    this.timeline.onMoment.push((moment) => this.showMoment(moment));
    theme.listeners.push(() => this.u.redraw(false));
    followWidth(this.plot, () => this.resize());
    this.legend.update();
  }

  resize() {
    const width = this.plot.clientWidth;
    if (width > 0 && width !== this.u.width) this.u.setSize({ width, height: this.height });
  }

  get height() {
    return (this.spec.height ?? PLOT_HEIGHT) + AXIS_HEIGHT;
  }

  momentAt(event) {
    return this.u.posToVal(event.clientX - this.u.over.getBoundingClientRect().left, "x");
  }

  // --- what is drawn ---

  setShown(key, shown) {
    if (shown) this.hidden.delete(key);
    else this.hidden.add(key);
    this.refresh();
  }

  setValues(valuesByKey) {
    for (const one of this.spec.series) if (one.key in valuesByKey) one.values = valuesByKey[one.key];
    this.refresh();
  }

  refresh() {
    this.u.setData(this.shownData(), false);
    this.u.setScale("x", { min: this.timeline.from, max: this.timeline.to });
    this.legend.update();
  }

  shownData() {
    const { edges, series } = this.spec;
    const sums = new Array(edges.length - 1).fill(0);
    const columns = new Map(
      series.map((one) => {
        if (this.hidden.has(one.key)) return [one, new Array(edges.length).fill(null)];
        const values = one.stacked
          ? one.values.map((value, index) => (sums[index] += value ?? 0))
          : one.values;
        return [one, [...values, null]];
      }),
    );
    return [edges, ...this.layers.map((one) => columns.get(one))];
  }

  binAt(moment) {
    const edges = this.spec.edges;
    let [low, high] = [0, edges.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (edges[middle] <= moment) low = middle;
      else high = middle;
    }
    return low;
  }

  // The highest value of drawn columns within the window.
  highest(scale) {
    const [first, last] = [this.binAt(this.timeline.from), this.binAt(this.timeline.to)];
    const data = this.u ? this.u.data : this.shownData();
    let top = 0;
    this.layers.forEach((one, index) => {
      if ((one.axis ?? "y") !== scale) return;
      for (let bin = first; bin <= last; bin += 1) top = Math.max(top, data[index + 1][bin] ?? 0);
    });
    return top;
  }

  range(scale) {
    if (this.spec.share) return [0, 1.04];
    const top = this.highest(scale);
    const limits = scale === "y" ? (this.spec.limits ?? []) : [];
    const near = limits.map((limit) => limit.value).filter((value) => value < top * 4);
    return [0, Math.max(top, ...near) * 1.08 || 1];
  }

  // --- uPlot's own description ---

  options() {
    return {
      width: Math.max(this.plot.clientWidth, 120),
      height: this.height,
      legend: { show: false },
      padding: [8, () => (this.hasRight ? 0 : plotGutter().right), 0, 0],
      scales: {
        x: { time: false, auto: false, range: () => [this.timeline.from, this.timeline.to] },
        y: { range: () => this.range("y") },
        ...(this.hasRight && { right: { range: () => this.range("right") } }),
      },
      axes: [this.timeAxis(), this.valueAxis("y", 3), ...(this.hasRight ? [this.valueAxis("right", 1)] : [])],
      series: [{}, ...this.layers.map((one) => this.drawnSeries(one))],
      cursor: this.cursor(),
      hooks: {
        draw: [(u) => this.drawn(u)],
        setSelect: [(u) => this.selected(u)],
        setCursor: [(u) => this.pointed(u)],
      },
    };
  }

  drawnSeries(one) {
    return {
      scale: one.axis ?? "y",
      width: one.stacked ? 0 : (one.width ?? 1.5),
      dash: one.dash,
      paths: binPaths,
      points: { show: false },
      stroke: () => color(one.color),
      fill: one.stacked ? () => color(one.color) : undefined,
    };
  }

  timeAxis() {
    return {
      ...axisLook(),
      size: AXIS_HEIGHT,
      gap: 3,
      splits: (u, _, from, to) => timeMarks(from, to, u.bbox.width / devicePixelRatio).marks,
      values: (u, marks) =>
        marks.map((mark) =>
          formatInstant(
            mark,
            timeMarks(u.scales.x.min, u.scales.x.max, u.bbox.width / devicePixelRatio).step,
          ),
        ),
    };
  }

  valueAxis(scale, side) {
    const format = asMark((scale === "right" ? this.spec.rightFormat : this.spec.format) ?? formatNumber);
    return {
      ...axisLook(),
      scale,
      side,
      gap: 6,
      space: 28,
      size: () => plotGutter()[side === 3 ? "left" : "right"],
      ...(this.spec.share && { splits: () => [0, 0.25, 0.5, 0.75, 1] }),
      ...(scale === "right" && { grid: { show: false } }),
      values: (_, marks) => marks.map((mark) => (mark === null ? null : format(mark))),
    };
  }

  cursor() {
    return {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      bind: {
        dblclick: () => () => {
          this.timeline.reset();
          return null;
        },
      },
    };
  }

  // --- what happens on it ---

  selected(u) {
    const { left, width } = u.select;
    if (width <= 0) return;
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.timeline.show(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
  }

  pan(event) {
    if (!event.shiftKey) return;
    event.stopPropagation();
    startPan(this.timeline, event, this.u.over.clientWidth);
  }

  pointed(u) {
    const { left } = u.cursor;
    const here = left >= 0;
    this.tip.hidden = !here;
    this.timeline.pointAt(here ? u.posToVal(left, "x") : null);
    if (here) this.fillTip(left);
  }

  showMoment(moment) {
    const left = moment === null ? -10 : this.u.valToPos(moment, "x");
    if (Math.abs(left - this.u.cursor.left) > 0.5) this.u.setCursor({ left, top: 0 }, false);
    this.legend.update();
  }

  fillTip(left) {
    const bin = this.binAt(this.timeline.moment);
    const { edges } = this.spec;
    this.tip.replaceChildren(
      element(
        "b",
        {},
        `${formatInstant(edges[bin], this.timeline.span / 1000)} + ${formatSeconds(edges[bin + 1] - edges[bin])}`,
      ),
      ...this.legend
        .readings(bin)
        .filter(Boolean)
        .map(([one, text]) => element("span", {}, swatch(one), `${one.label} ${text}`)),
    );
    const before = left > this.u.over.clientWidth / 2;
    Object.assign(this.tip.style, {
      left: before ? "" : `${left + 12}px`,
      right: before ? `${this.u.over.clientWidth - left + 12}px` : "",
    });
  }

  // The window that is really drawn, for whoever looks from outside.
  drawn(u) {
    this.figure.dataset.from = u.scales.x.min;
    this.figure.dataset.to = u.scales.x.max;
    for (const limit of this.spec.limits ?? []) drawLimit(u, limit);
    this.legend.update();
  }
}
