// Contenders by two measures at once, and the front: those that no other beats in both.

const PARETO = { width: 760, height: 340, left: 64, right: 120, top: 16, bottom: 44 };

function paretoPicture(data) {
  const columns = [data.pareto.x, data.pareto.y].map(
    (key) => data.columns.find((column) => column.key === key) ?? { key, title: key, unit: "" },
  );
  const points = data.rows
    .map((row, index) => ({ row, index, x: row.values[columns[0].key], y: row.values[columns[1].key] }))
    .filter((point) => isNumber(point.x?.mean) && isNumber(point.y?.mean));
  if (points.length === 0)
    return nothing(`No contender has both ${columns[0].title} and ${columns[1].title}.`);
  const scales = {
    x: linearScale(
      points.map((point) => point.x),
      PARETO.left,
      PARETO.width - PARETO.right,
    ),
    y: linearScale(
      points.map((point) => point.y),
      PARETO.height - PARETO.bottom,
      PARETO.top,
    ),
  };
  const front = paretoFront(points, columns);
  return element(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Pareto picture" },
    svg(
      "svg",
      {
        class: "pareto",
        viewBox: `0 0 ${PARETO.width} ${PARETO.height}`,
        role: "img",
        "aria-label": `${columns[1].title} against ${columns[0].title}. On the front: ${front.map((point) => point.row.label).join(", ")}`,
      },
      paretoAxes(scales, columns),
      frontLine(front, scales),
      points.map((point) => errorBars(point, scales)),
      points.map((point) => paretoPoint(point, scales, columns, front)),
      paretoLabels(points, scales),
    ),
  );
}

function linearScale(values, from, to) {
  const [low, high] = [
    Math.min(...values.map((one) => one.mean - (one.ci95 ?? 0))),
    Math.max(...values.map((one) => one.mean + (one.ci95 ?? 0))),
  ];
  const air = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
  const [start, end] = [Math.max(low - air, low >= 0 ? 0 : -Infinity), high + air];
  return Object.assign((value) => from + ((value - start) / (end - start)) * (to - from), {
    marks: niceMarks(start, end),
  });
}

function niceMarks(from, to, wanted = 5) {
  const rough = (to - from) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((candidate) => candidate >= rough);
  const marks = [];
  for (let index = Math.ceil(from / step); index * step <= to; index += 1)
    marks.push(Number((index * step).toPrecision(12)));
  return marks;
}

// Walks along the first measure from its good end and keeps whoever improves the second.
function paretoFront(points, [x, y]) {
  const sign = (column) => (column.better === "higher" ? -1 : 1);
  const cost = (point, which, column) => point[which].mean * sign(column);
  const sorted = [...points].sort(
    (a, b) => cost(a, "x", x) - cost(b, "x", x) || cost(a, "y", y) - cost(b, "y", y),
  );
  let best = Infinity;
  return sorted.filter((point) => {
    const better = cost(point, "y", y) < best;
    if (better) best = cost(point, "y", y);
    return better;
  });
}

function paretoAxes(scales, [x, y]) {
  const [bottom, right] = [PARETO.height - PARETO.bottom, PARETO.width - PARETO.right];
  const title = (column) =>
    `${column.title}${column.unit ? ` (${column.unit})` : ""}${column.better ? `, ${column.better} is better` : ""}`;
  return [
    scales.x.marks.map((mark) => [
      svg("line", { class: "grid", x1: scales.x(mark), x2: scales.x(mark), y1: PARETO.top, y2: bottom }),
      svg(
        "text",
        { x: scales.x(mark), y: bottom + 16, "text-anchor": "middle" },
        asMark(compareFormat(x))(mark),
      ),
    ]),
    scales.y.marks.map((mark) => [
      svg("line", { class: "grid", x1: PARETO.left, x2: right, y1: scales.y(mark), y2: scales.y(mark) }),
      svg(
        "text",
        { x: PARETO.left - 8, y: scales.y(mark) + 4, "text-anchor": "end" },
        asMark(compareFormat(y))(mark),
      ),
    ]),
    svg("text", { class: "axis-title", x: right, y: PARETO.height - 8, "text-anchor": "end" }, title(x)),
    svg(
      "text",
      {
        class: "axis-title",
        x: 14,
        y: PARETO.top,
        "text-anchor": "end",
        transform: `rotate(-90 14 ${PARETO.top})`,
      },
      title(y),
    ),
  ];
}

function frontLine(front, scales) {
  return svg("polyline", {
    class: "front",
    points: front.map((point) => `${scales.x(point.x.mean)},${scales.y(point.y.mean)}`).join(" "),
  });
}

function errorBars({ x, y, index }, scales) {
  const line = (x1, x2, y1, y2) =>
    svg("line", {
      class: "error",
      style: { stroke: `var(--${manyColor(index)})` },
      x1: scales.x(x1),
      x2: scales.x(x2),
      y1: scales.y(y1),
      y2: scales.y(y2),
    });
  return svg(
    "g",
    {},
    x.ci95 > 0 && line(x.mean - x.ci95, x.mean + x.ci95, y.mean, y.mean),
    y.ci95 > 0 && line(x.mean, x.mean, y.mean - y.ci95, y.mean + y.ci95),
  );
}

function paretoPoint({ row, index, x, y }, scales, columns, front) {
  const shade = `var(--${manyColor(index)})`;
  const onFront = front.some((point) => point.row === row);
  const told = `${row.label}: ${columns[0].title} ${withSpread(columns[0], x)}, ${columns[1].title} ${withSpread(columns[1], y)}${row.keeps_slo === false ? ", misses the SLO" : ""}${onFront ? ", on the front" : ""}`;
  return svg(
    "circle",
    {
      "data-label": row.label,
      class: row.keeps_slo === false ? "missed" : "kept",
      cx: scales.x(x.mean),
      cy: scales.y(y.mean),
      r: 6,
      style: { stroke: shade, fill: row.keeps_slo === false ? "var(--bg)" : shade },
    },
    svg("title", {}, told),
  );
}

// A name stands right of its point, or above, below or left of it: where it first finds room.
function paretoLabels(points, scales) {
  const taken = points.map((point) => ({
    left: scales.x(point.x.mean) - 7,
    top: scales.y(point.y.mean) - 7,
    width: 14,
    height: 14,
  }));
  return points.map((point) => {
    const place = freePlace(point.row.label, scales.x(point.x.mean), scales.y(point.y.mean), taken);
    taken.push(place);
    return svg("text", { class: "name", x: place.left, y: place.top + 11 }, point.row.label);
  });
}

function freePlace(label, x, y, taken) {
  const [width, height] = [label.length * 6.6, 14];
  const places = [
    [x + 11, y - 8],
    [x - width / 2, y - 24],
    [x - width / 2, y + 10],
    [x - width - 11, y - 8],
    [x + 9, y + 6],
    [x + 9, y - 22],
  ].map(([left, top]) => ({ left, top, width, height }));
  const clear = (one) =>
    !taken.some(
      (other) =>
        one.left < other.left + other.width &&
        other.left < one.left + width &&
        one.top < other.top + other.height &&
        other.top < one.top + height,
    );
  return places.find(clear) ?? places[0];
}
