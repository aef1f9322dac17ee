// Moving through time: the bar above the charts, keys on whatever is focused, wheel and shift-drag on a plot.

function timeBar(timeline, ...extra) {
  const shown = element("output", { class: "window", "aria-live": "polite" });
  const button = (label, text, act, id) =>
    element("button", { type: "button", "aria-label": label, title: label, id, onclick: act }, text);
  const reset = button("Show the whole run", "Reset zoom", () => timeline.reset(), "reset-zoom");
  const when = element("output", { class: "when" });
  const show = () => {
    const step = timeline.span / 1000;
    shown.textContent = `${formatInstant(timeline.from, step)} – ${formatInstant(timeline.to, step)}`;
    reset.disabled = timeline.whole;
  };
  const point = (moment) => {
    when.textContent =
      moment === null ? "highest in view" : `at ${formatInstant(moment, timeline.span / 1000)}`;
  };
  timeline.onWindow.push(show);
  timeline.onMoment.push(point);
  show();
  point(null);
  return element(
    "div",
    { class: "time-bar", role: "toolbar", "aria-label": "Time shown" },
    ...extra,
    element(
      "span",
      { class: "time-buttons" },
      button("Earlier", "◀", () => timeline.pan(-0.5)),
      button("Later", "▶", () => timeline.pan(0.5)),
      button("Zoom in", "+", () => timeline.zoom(0.5)),
      button("Zoom out", "−", () => timeline.zoom(2)),
    ),
    shown,
    reset,
    element(
      "span",
      { class: "hint" },
      "drag: zoom · shift-drag: pan · ctrl-wheel: zoom · double click or 0: whole run",
    ),
    when,
  );
}

// Keys that mean the same on every chart and on the lanes. Says whether the key was one of them.
function timeKey(timeline, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const around = timeline.moment ?? undefined;
  const acts = {
    ArrowLeft: () => timeline.pan(-0.2),
    ArrowRight: () => timeline.pan(0.2),
    "+": () => timeline.zoom(0.6, around),
    "=": () => timeline.zoom(0.6, around),
    "-": () => timeline.zoom(1 / 0.6, around),
    0: () => timeline.reset(),
    Escape: () => timeline.reset(),
  };
  const act = acts[event.key];
  if (!act) return false;
  act();
  event.preventDefault();
  return true;
}

// A plain wheel scrolls the page, as everywhere; with ctrl (or a pinch) it zooms, sideways it pans.
function timeWheel(timeline, target, momentAt) {
  target.addEventListener(
    "wheel",
    (event) => {
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (event.ctrlKey || event.metaKey)
        timeline.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 200))), momentAt(event));
      else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY))
        timeline.pan(sideways / target.clientWidth);
      else return;
      event.preventDefault();
    },
    { passive: false },
  );
}

// Drags the window along with the pointer until it is let go.
function startPan(timeline, event, plotWidth) {
  const { from, to, span } = timeline;
  const move = (now) => {
    const shift = ((event.clientX - now.clientX) / plotWidth) * span;
    timeline.show(from + shift, to + shift);
  };
  const stop = () => {
    removeEventListener("mousemove", move);
    removeEventListener("mouseup", stop);
  };
  addEventListener("mousemove", move);
  addEventListener("mouseup", stop);
  event.preventDefault();
}
