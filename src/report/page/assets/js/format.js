// Numbers as people read them: three digits that matter, a unit that fits, a dash for what is not known.

const UNKNOWN = "–";

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

function formatNumber(value) {
  if (!isNumber(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size >= 1000 || (size >= 1 && Math.abs(value - Math.round(value)) < 0.005) || value === 0)
    return Math.round(value).toLocaleString("en-US");
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  return size < 1e-4 ? value.toExponential(1) : String(Number(value.toPrecision(2)));
}

// A length of time. Below two minutes in one unit, above in two.
function formatSeconds(seconds) {
  if (!isNumber(seconds)) return UNKNOWN;
  const size = Math.abs(seconds);
  if (size === 0) return "0 s";
  if (size < 9.995e-4) return `${Number((seconds * 1e6).toPrecision(3))} µs`;
  if (size < 0.9995) return `${Number((seconds * 1e3).toPrecision(3))} ms`;
  if (size < 120) return `${size < 10 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;
  const sign = seconds < 0 ? "−" : "";
  const whole = Math.round(size);
  if (whole < 7200) return `${sign}${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(size / 60);
  if (minutes < 48 * 60) return `${sign}${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.round(size / 3600);
  return `${sign}${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// Moments of a run of minutes or more are told as a clock that starts at 0:00; of a shorter one in seconds.
const moments = { asClock: false };

// A moment of the run. `step` is the distance to the next one that must differ.
function formatInstant(seconds, step = 0.01) {
  if (!isNumber(seconds)) return UNKNOWN;
  const digits = step >= 1 ? 0 : Math.min(6, Math.ceil(-Math.log10(step) - 1e-9));
  const rounded = Number(seconds.toFixed(digits));
  if (!moments.asClock) return `${rounded.toFixed(digits)} s`;
  const whole = Math.floor(rounded);
  const rest = digits ? (rounded - whole).toFixed(digits).slice(1) : "";
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}${rest}`;
}

const formatShare = (share) => (isNumber(share) ? `${Number((share * 100).toPrecision(3))} %` : UNKNOWN);

function formatDollars(value) {
  if (!isNumber(value)) return UNKNOWN;
  return `$${value >= 1000 ? formatNumber(value) : value.toFixed(2)}`;
}

// The same without zeros that say nothing, for the round numbers along an axis: "2.00 s" reads "2 s".
const asMark = (format) => (value) =>
  format(value)
    .replace(/(\.\d*?)0+(?!\d)/, "$1")
    .replace(/\.(?!\d)/, "");

// "1 lane", "2 lanes".
const plural = (count, one, many = `${one}s`) => `${formatNumber(count)} ${count === 1 ? one : many}`;

// Words of the data in the page's own spelling: "no_capacity" reads "no capacity".
const readable = (word) => String(word).replaceAll("_", " ");
