// Lifecycle lanes: every server and instance as a bar over the run's time, on the axis of the charts.

const LANE_HEIGHTS = { normal: 17, small: 10, tiny: 3 };
const LANES_MOST = 460;

class Lanes {
  constructor(run, causes, timeline, onSelect) {
    Object.assign(this, { run, causes, timeline, onSelect });
    this.rows = new LaneRows(run, causes);
    this.selected = this.hovered = null;
    this.rowHeight = run.instances.id.length > 400 ? LANE_HEIGHTS.small : LANE_HEIGHTS.normal;
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.spacer = element("div", { class: "spacer" });
    this.cursor = element("div", { class: "lane-cursor", hidden: true });
    this.summary = element("p", { class: "lead", id: "lanes-summary", "aria-live": "polite" });
    this.scroll = element(
      "div",
      {
        class: "lanes",
        id: "lanes",
        tabindex: "0",
        role: "application",
        "aria-roledescription": "timeline",
        "aria-label":
          "Lifecycle lanes: up and down select an instance, Enter opens it, left and right pan, plus and minus zoom",
        "aria-describedby": "lanes-summary",
      },
      element("div", { class: "window-of-lanes" }, this.canvas, this.cursor),
      this.spacer,
    );
    this.painter = new LanePainter(this.canvas, this.rows, timeline);
    this.listen();
  }

  listen() {
    const { scroll, timeline } = this;
    scroll.addEventListener("scroll", () => this.later());
    scroll.addEventListener("keydown", (event) => this.key(event));
    timeline.onWindow.push(() => this.later());
    timeline.onMoment.push((moment) => this.point(moment));
    theme.listeners.push(() => this.later());
    followWidth(scroll, () => this.paint());
    this.pointer = new LanePointer(this);
  }

  filters() {
    const pools =
      this.run.pools.length > 1 &&
      choice("pool", [["", "all"], ...this.run.pools.map((name, index) => [String(index), name])], (value) =>
        this.rearrange({ pool: value === "" ? null : Number(value) }),
      );
    return element(
      "div",
      { class: "filters" },
      searchField("Filter lanes by text", (text) => this.rearrange({ text: text.trim().toLowerCase() })),
      pools,
      choice(
        "which",
        [
          ["any", "all"],
          ["drained", "drained"],
          ["left", "there at the end"],
          ["cancelled", "never active"],
        ],
        (fate) => this.rearrange({ fate }),
      ),
      choice(
        "order",
        [
          ["server", "by server"],
          ["start", "by start"],
          ["drain", "longest drain first"],
          ["id", "by number"],
        ],
        (order) => this.rearrange({ order }),
      ),
      this.heightChoice(),
      element(
        "span",
        { class: "key" },
        STATUSES.map((status) =>
          element(
            "span",
            {},
            element("i", { class: `swatch ${status}`, style: { background: `var(--${status})` } }),
            status,
          ),
        ),
      ),
    );
  }

  heightChoice() {
    const label = choice(
      "rows",
      Object.keys(LANE_HEIGHTS).map((name) => [name, name]),
      (name) => {
        this.rowHeight = LANE_HEIGHTS[name];
        this.rearrange({});
      },
    );
    label.querySelector("select").value = Object.keys(LANE_HEIGHTS).find(
      (name) => LANE_HEIGHTS[name] === this.rowHeight,
    );
    return label;
  }

  rearrange(wishes) {
    Object.assign(this.rows, wishes);
    this.rows.arrange();
    this.layOut();
    this.later();
  }

  layOut() {
    const height = LANE_AXIS + this.rows.rows.length * this.rowHeight;
    this.scroll.style.height = `${Math.min(LANES_MOST, Math.max(height, 80)) + 2}px`;
    this.spacer.style.height = `${height}px`;
    this.scroll.dataset.lanes = this.rows.instances;
    this.scroll.dataset.servers = this.rows.rows.length - this.rows.instances;
    const { id } = this.run.instances;
    const of = this.rows.instances === id.length ? "" : ` of ${formatNumber(id.length)}`;
    const drained = this.run.instances.draining.filter((start) => start !== null).length;
    const cut =
      this.run.instances_total > id.length
        ? ` Only the first ${formatNumber(id.length)} of ${formatNumber(this.run.instances_total)} instances are in this file.`
        : "";
    this.summary.textContent = `${formatNumber(this.rows.instances)}${of} ${id.length === 1 ? "instance" : "instances"} on ${plural(this.run.servers.id.length, "server")}, ${formatNumber(drained)} of them drained.${cut} Choose a lane to see what started and drained it.`;
  }

  // Many reasons to paint may come within one frame; one picture answers them all.
  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint();
    });
  }

  paint() {
    if (this.scroll.clientWidth === 0 || !this.scroll.style.height) return;
    const { clientWidth: width, clientHeight: height, offsetWidth } = this.scroll;
    const gutter = plotGutter();
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.painter.paint({
      width,
      height,
      scroll: this.scroll.scrollTop,
      rowHeight: this.rowHeight,
      left: gutter.left,
      right: offsetWidth - gutter.right,
      selected: this.selected,
      hovered: this.hovered,
    });
    this.scroll.dataset.from = this.timeline.from;
    this.scroll.dataset.to = this.timeline.to;
  }

  point(moment) {
    const { view } = this.painter;
    this.cursor.hidden = moment === null || !view;
    if (!this.cursor.hidden) this.cursor.style.transform = `translateX(${this.painter.x(moment)}px)`;
  }

  // --- selection ---

  key(event) {
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -20, PageDown: 20 };
    if (event.key in steps) this.step(steps[event.key]);
    else if (event.key === "Enter")
      this.choose(this.selected ?? this.rows.rows.find((entry) => entry.instance !== undefined)?.instance);
    else {
      timeKey(this.timeline, event);
      return;
    }
    event.preventDefault();
  }

  step(by) {
    const { rows, place } = this.rows;
    let next = this.selected === null || !place.has(this.selected) ? -1 : place.get(this.selected);
    for (let left = Math.abs(by); left > 0; left -= 1) {
      let probe = next + Math.sign(by);
      while (rows[probe] && rows[probe].instance === undefined) probe += Math.sign(by);
      if (!rows[probe]) break;
      next = probe;
    }
    if (rows[next]) this.choose(rows[next].instance);
  }

  choose(instance) {
    if (instance === undefined) return;
    this.selected = instance;
    this.scroll.dataset.selected = this.run.instances.id[instance];
    this.bring(instance);
    this.onSelect(instance);
    this.later();
  }

  // Scrolls within the lanes until the chosen one can be seen.
  bring(instance) {
    const top = this.rows.place.get(instance) * this.rowHeight;
    const room = this.scroll.clientHeight - LANE_AXIS;
    if (top < this.scroll.scrollTop) this.scroll.scrollTop = top - this.rowHeight;
    if (top + this.rowHeight > this.scroll.scrollTop + room)
      this.scroll.scrollTop = top + 2 * this.rowHeight - room;
  }

  // From elsewhere on the page: undoes filters that hide the lane, and shows its time.
  open(instance) {
    if (!this.rows.place.has(instance)) this.clearFilters();
    const spans = this.rows.spans(instance);
    if (spans.length > 0) this.timeline.include(spans[0][1], spans.at(-1)[2]);
    this.choose(instance);
    reveal(this.scroll);
    this.scroll.focus({ preventScroll: true });
  }

  clearFilters() {
    for (const field of this.bar.querySelectorAll("input")) field.value = "";
    for (const field of this.bar.querySelectorAll("select"))
      if (!["order", "rows"].includes(field.parentElement.firstChild.textContent)) field.selectedIndex = 0;
    this.rearrange({ text: "", pool: null, fate: "any" });
  }
}

function lanesSection(run, causes, timeline, panel) {
  if (run.instances.id.length === 0)
    return section("lifecycle", "Lifecycle", null, nothing("No instance ever existed in this run."));
  const lanes = new Lanes(run, causes, timeline, (instance) => panel.show(instance));
  lanes.bar = lanes.filters();
  panel.lanes = lanes;
  const made = section(
    "lifecycle",
    "Lifecycle",
    null,
    lanes.summary,
    lanes.bar,
    element("div", { class: "lanes-and-panel" }, lanes.scroll, panel.box),
  );
  return Object.assign(made, {
    lanes,
    draw: () => {
      lanes.layOut();
      lanes.paint();
    },
  });
}
