// What charts paint themselves: the look of axes, bins as flat stretches, limits of the SLO.

function axisLook() {
  return {
    stroke: () => color("muted"),
    font: "11px system-ui, sans-serif",
    ticks: { show: false },
    grid: { stroke: () => color("grid"), width: 1 },
  };
}

// Flat over every bin. null ends a stretch; undefined (another run's edge, where runs are overlaid) does not.
function binPaths(u, index, first, last) {
  const [xs, values] = [u.data[0], u.data[index]];
  const scale = u.series[index].scale;
  const x = (bin) => u.valToPos(xs[bin], "x", true);
  const y = (value) => u.valToPos(value, scale, true);
  const [stroke, fill] = [new Path2D(), new Path2D()];
  let bin = Math.max(first - 1, 0);
  while (bin > 0 && values[bin] === undefined) bin -= 1;
  const end = Math.min(last + 1, xs.length - 1);
  for (let open = false; bin < end;) {
    let next = bin + 1;
    while (next < xs.length - 1 && values[next] === undefined) next += 1;
    const value = values[bin];
    if (value === null || value === undefined) open = false;
    else {
      const [left, right, height] = [x(bin), x(next), y(value)];
      if (open) stroke.lineTo(left, height);
      else stroke.moveTo(left, height);
      stroke.lineTo(right, height);
      fill.rect(Math.floor(left), height, Math.ceil(right) - Math.floor(left), y(0) - height);
      open = true;
    }
    bin = next;
  }
  return { stroke, fill: u.series[index].fill ? fill : null };
}

// A limit of the SLO: a dashed line with its name, where it lies within the plot.
function drawLimit(u, limit) {
  if (limit.value > u.scales.y.max) return;
  const { ctx, bbox } = u;
  const [unit, right, height] = [
    devicePixelRatio,
    bbox.left + bbox.width,
    u.valToPos(limit.value, "y", true),
  ];
  ctx.save();
  ctx.strokeStyle = color("limit");
  ctx.lineWidth = unit;
  ctx.setLineDash([5 * unit, 4 * unit]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, height);
  ctx.lineTo(right, height);
  ctx.stroke();
  const below = height - bbox.top < 16 * unit;
  haloText(ctx, limit.label, right - 4 * unit, height + (below ? 3 : -3) * unit, below ? "top" : "bottom");
  ctx.restore();
}

// Words over lines of data, with a rim of background so that they can be read.
function haloText(ctx, words, right, height, baseline) {
  const unit = devicePixelRatio;
  Object.assign(ctx, {
    font: `${11 * unit}px system-ui, sans-serif`,
    textAlign: "right",
    textBaseline: baseline,
    lineJoin: "round",
    lineWidth: 4 * unit,
    strokeStyle: color("bg"),
    fillStyle: color("limit"),
  });
  ctx.setLineDash([]);
  ctx.strokeText(words, right, height);
  ctx.fillText(words, right, height);
}
