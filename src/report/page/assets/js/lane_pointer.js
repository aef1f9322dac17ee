// The pointer over the lanes: what is under it, and what clicks and drags mean.

class LanePointer {
  constructor(lanes) {
    this.lanes = lanes;
    this.run = lanes.run;
    this.timeline = lanes.timeline;
    this.stretch = element("div", { class: "lane-stretch", hidden: true });
    this.tip = element("div", { class: "tip", hidden: true });
    lanes.canvas.after(this.stretch, this.tip);
    const { scroll } = lanes;
    scroll.addEventListener("mousemove", (event) => this.hover(event));
    scroll.addEventListener("mouseleave", () => this.leave());
    scroll.addEventListener("mousedown", (event) => this.press(event));
    scroll.addEventListener("dblclick", () => this.timeline.reset());
    timeWheel(this.timeline, scroll, (event) => this.momentAt(event));
  }

  within(event) {
    const box = this.lanes.scroll.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  momentAt(event) {
    const { left, right } = this.lanes.painter.view;
    return this.timeline.from + ((this.within(event).x - left) / (right - left)) * this.timeline.span;
  }

  entryAt(event) {
    const { y } = this.within(event);
    if (y < LANE_AXIS) return null;
    return (
      this.lanes.rows.rows[
        Math.floor((y - LANE_AXIS + this.lanes.scroll.scrollTop) / this.lanes.rowHeight)
      ] ?? null
    );
  }

  hover(event) {
    if (!this.lanes.painter.view) return;
    const moment = this.momentAt(event);
    const inside = moment >= this.timeline.from && moment <= this.timeline.to;
    this.timeline.pointAt(inside ? moment : null);
    const entry = this.entryAt(event);
    if ((entry?.instance ?? null) !== this.lanes.hovered) {
      this.lanes.hovered = entry?.instance ?? null;
      this.lanes.later();
    }
    this.showTip(entry, event, moment);
  }

  leave() {
    this.lanes.hovered = null;
    this.tip.hidden = true;
    this.timeline.pointAt(null);
    this.lanes.later();
  }

  showTip(entry, event, moment) {
    this.tip.hidden = !entry;
    if (!entry) return;
    this.tip.replaceChildren(
      ...(entry.instance === undefined
        ? this.serverWords(entry.server)
        : this.instanceWords(entry.instance, moment)),
    );
    const { x, y } = this.within(event);
    const { clientWidth: width, clientHeight: height } = this.lanes.scroll;
    const [after, above] = [x < width / 2, y > height / 2];
    Object.assign(this.tip.style, {
      left: after ? `${x + 14}px` : "",
      right: after ? "" : `${width - x + 14}px`,
      top: above ? "" : `${y + 10}px`,
      bottom: above ? `${height - y + 10}px` : "",
    });
  }

  serverWords(row) {
    const { id, sku, gpus } = this.run.servers;
    return [
      element("b", {}, `server ${id[row]}`),
      element("span", {}, `${this.run.skus[sku[row]] ?? ""}, ${plural(gpus[row], "GPU")}`),
    ];
  }

  instanceWords(row, moment) {
    const { id, pool } = this.run.instances;
    const drain = this.lanes.rows.drain(row);
    return [
      element("b", {}, `instance ${id[row]} · ${this.run.pools[pool[row]] ?? ""}`),
      element(
        "span",
        {},
        `${this.lanes.rows.statusAt(row, moment) ?? "not there"} at ${formatInstant(moment, this.timeline.span / 1000)}`,
      ),
      drain !== null &&
        element(
          "span",
          {},
          `drain ${this.run.instances.removed[row] === null ? "not finished after" : "took"} ${formatSeconds(drain)}`,
        ),
    ].filter(Boolean);
  }

  // A click selects, a drag zooms, a shift-drag pans.
  press(event) {
    const { left, right } = this.lanes.painter.view;
    const start = this.within(event).x;
    if (event.button !== 0 || start > this.lanes.scroll.clientWidth) return;
    if (event.shiftKey) {
      startPan(this.timeline, event, right - left);
      return;
    }
    const from = this.momentAt(event);
    let dragged = false;
    const move = (now) => {
      const x = Math.min(right, Math.max(left, this.within(now).x));
      dragged ||= Math.abs(x - start) > 4;
      Object.assign(this.stretch.style, {
        left: `${Math.min(x, Math.max(start, left))}px`,
        width: `${Math.abs(x - Math.max(start, left))}px`,
      });
      this.stretch.hidden = !dragged;
    };
    const stop = (now) => {
      removeEventListener("mousemove", move);
      removeEventListener("mouseup", stop);
      this.stretch.hidden = true;
      if (dragged) this.timeline.show(...[from, this.momentAt(now)].sort((a, b) => a - b));
      else this.lanes.choose(this.entryAt(now)?.instance);
    };
    addEventListener("mousemove", move);
    addEventListener("mouseup", stop);
  }
}
