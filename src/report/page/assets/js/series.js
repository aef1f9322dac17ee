// The data's series as the charts want them.

// The n + 1 edges of n bins.
function binEdges(series) {
  const { start_s, width_s } = series;
  if (!start_s?.length) return null;
  return [...start_s, start_s.at(-1) + width_s];
}

const hasValues = (values) => Array.isArray(values) && values.some((value) => isNumber(value));

const addUp = (columns) =>
  columns.reduce((sums, column) => sums.map((sum, index) => sum + (column[index] ?? 0)));

// Percentiles are those of a bin, so that its width belongs to what they say.
const perBin = (series) => `in bins of ${asMark(formatSeconds)(series.group_width_s ?? series.width_s)}`;

// The fleet's statuses of one pool, or of all together.
function fleetOf(fleet, pool) {
  const chosen = pool === null ? fleet : fleet.filter((one) => one.pool === pool);
  return Object.fromEntries(
    ["starting", "active", "draining"].map((status) => [status, addUp(chosen.map((one) => one[status]))]),
  );
}

// A colour of its own for each pool or contender; beyond eight they come again, dashed.
const manyColor = (index) => `many-${index % 8}`;
const manyDash = (index) => (index >= 8 ? [6, 3] : undefined);
