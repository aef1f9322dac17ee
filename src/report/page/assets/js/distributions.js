// Histograms on a logarithmic time axis, with the percentiles of the totals marked.

const DISTRIBUTIONS = [
  ["ttft_s", "TTFT"],
  ["tbt_s", "TBT"],
  ["e2e_s", "E2E"],
  ["queue_s", "Queue"],
  ["drain_s", "Drain"],
];

function distributionSection(run) {
  const shown = DISTRIBUTIONS.filter(([key]) => run.distributions?.[key]?.counts?.length);
  if (shown.length === 0)
    return section(
      "distributions",
      "Distributions",
      null,
      nothing("Nothing completed, so nothing can be distributed."),
    );
  const plots = shown.map(([key, title]) => new Histogram(title, run.distributions[key], run.totals[key]));
  const made = section(
    "distributions",
    "Distributions",
    null,
    element(
      "div",
      { class: "histograms" },
      plots.map((plot) => plot.figure),
    ),
  );
  return Object.assign(made, {
    draw: () => {
      for (const plot of plots) plot.draw();
    },
  });
}

class Histogram {
  constructor(title, distribution, percentiles) {
    Object.assign(this, { title, distribution, percentiles });
    this.plot = element("div", {
      class: "plot",
      role: "img",
      "aria-label": `Distribution of ${title} of ${formatNumber(distribution.values)} values`,
    });
    this.figure = element(
      "figure",
      { class: "histogram" },
      element(
        "figcaption",
        {},
        element("h3", {}, title, element("small", {}, plural(distribution.values, "value"))),
        (this.readout = element("small", { class: "readout" })),
      ),
      this.plot,
    );
  }

  draw() {
    const { edges, counts } = this.distribution;
    this.log = edges[0] > 0;
    this.u = new uPlot(this.options(), [edges, [...counts, null]], this.plot);
    this.read();
    theme.listeners.push(() => this.u.redraw(false));
    followWidth(this.plot, () => {
      const width = this.plot.clientWidth;
      if (width > 0 && width !== this.u.width) this.u.setSize({ width, height: 150 });
    });
  }

  options() {
    const { edges, counts } = this.distribution;
    const top = Math.max(...counts, 1);
    return {
      width: Math.max(this.plot.clientWidth, 120),
      height: 150,
      legend: { show: false },
      padding: [18, 12, 0, 0],
      drawOrder: ["axes", "series"],
      scales: {
        x: { time: false, distr: this.log ? 3 : 1, range: () => [edges[0], edges.at(-1)] },
        y: { range: () => [0, top * 1.05] },
      },
      axes: [
        {
          ...axisLook(),
          size: 20,
          gap: 3,
          space: 46,
          filter: (_, marks) => marks,
          splits: this.log ? (u) => decades(edges[0], edges.at(-1), u.width) : undefined,
          values: (_, marks) => marks.map((mark) => (mark === null ? null : asMark(formatSeconds)(mark))),
        },
        {
          ...axisLook(),
          size: 48,
          gap: 5,
          space: 30,
          values: (_, marks) => marks.map((mark) => (Number.isInteger(mark) ? formatNumber(mark) : null)),
        },
      ],
      series: [{}, { paths: binPaths, points: { show: false }, width: 0, fill: () => color("histogram") }],
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      hooks: { draw: [(u) => this.marks(u)], setCursor: [() => this.read()] },
    };
  }

  marks(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = `${10 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "center";
    let free = -Infinity;
    for (const one of PERCENTILES) {
      const value = this.percentiles?.[one];
      if (!isNumber(value) || value <= 0) continue;
      const x = Math.round(u.valToPos(value, "x", true));
      ctx.fillStyle = color("ink");
      ctx.fillRect(x, bbox.top, Math.max(1, devicePixelRatio), bbox.height);
      if (x < free) continue; // names that would stand on each other are left out; the lines tell enough
      ctx.fillText(one, x, bbox.top - 5 * devicePixelRatio);
      free = x + 24 * devicePixelRatio;
    }
    ctx.restore();
  }

  read() {
    const { edges, counts, values } = this.distribution;
    const left = this.u?.cursor.left ?? -1;
    if (left < 0) {
      const told = PERCENTILES.filter((one) => isNumber(this.percentiles?.[one])).map(
        (one) => `${one} ${formatSeconds(this.percentiles[one])}`,
      );
      this.readout.textContent = told.join(" · ");
      return;
    }
    const moment = this.u.posToVal(left, "x");
    const bin = Math.min(counts.length - 1, Math.max(0, edges.findIndex((edge) => edge > moment) - 1));
    this.readout.textContent = `${formatSeconds(edges[bin])} – ${formatSeconds(edges[bin + 1])}: ${formatNumber(counts[bin])}, ${formatShare(counts[bin] / values)}`;
  }
}

// Marks at 1, and where there is room also at 2 and 5, of each power of ten within a range.
function decades(from, to, width) {
  const powers = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power += 1)
    powers.push(power);
  const roomy = width / powers.length > 90;
  return powers
    .flatMap((power) => (roomy ? [1, 2, 5] : [1]).map((digit) => Number(`${digit}e${power}`)))
    .filter((mark) => mark >= from && mark <= to);
}
