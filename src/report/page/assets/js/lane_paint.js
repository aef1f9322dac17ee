// Paints the lanes that can be seen, and no others: what it costs depends on the screen, not on the fleet.
//
// Height repeats what the colour says, for whoever cannot tell the colours apart.

const STATUS_HEIGHT = { starting: 0.4, active: 1, draining: 0.7 };
const LANE_AXIS = 20;

class LanePainter {
  constructor(canvas, rows, timeline) {
    Object.assign(this, { canvas, rows, timeline });
  }

  // `view` is { width, height, scroll, rowHeight, left, right, selected, hovered }, in CSS pixels.
  paint(view) {
    const ratio = devicePixelRatio || 1;
    this.view = view;
    this.canvas.width = Math.round(view.width * ratio);
    this.canvas.height = Math.round(view.height * ratio);
    const ctx = (this.ctx = this.canvas.getContext("2d"));
    ctx.scale(ratio, ratio);
    this.grid();
    const first = Math.floor(view.scroll / view.rowHeight);
    const last = Math.min(
      this.rows.rows.length,
      Math.ceil((view.scroll + view.height - LANE_AXIS) / view.rowHeight),
    );
    for (let place = first; place < last; place += 1)
      this.row(place, LANE_AXIS + place * view.rowHeight - view.scroll);
    this.axis();
  }

  x(moment) {
    const { left, right } = this.view;
    return left + ((moment - this.timeline.from) / this.timeline.span) * (right - left);
  }

  grid() {
    const { ctx, view } = this;
    ctx.strokeStyle = color("grid");
    ctx.beginPath();
    for (const mark of this.marks().marks) {
      const x = Math.round(this.x(mark)) + 0.5;
      ctx.moveTo(x, LANE_AXIS);
      ctx.lineTo(x, view.height);
    }
    ctx.stroke();
  }

  marks() {
    return timeMarks(this.timeline.from, this.timeline.to, this.view.right - this.view.left);
  }

  row(place, top) {
    const entry = this.rows.rows[place];
    if (entry.server !== undefined) this.server(entry.server, top);
    else this.instance(entry.instance, top);
  }

  server(row, top) {
    const { ctx, view } = this;
    const { servers } = this.rows.run;
    const [from, to] = [
      this.x(servers.created[row]),
      this.x(servers.removed[row] ?? this.rows.run.simulated_s),
    ];
    this.bar(from, to, top + view.rowHeight * 0.5 - 1, Math.min(2, view.rowHeight), color("server"));
    if (view.rowHeight < 10) return;
    this.text(`server ${servers.id[row]}`, 2, top, color("muted"));
    ctx.globalAlpha = 1;
  }

  instance(row, top) {
    const { ctx, view } = this;
    const picked = row === view.selected;
    if (picked || row === view.hovered) {
      ctx.fillStyle = color(picked ? "picked" : "hovered");
      ctx.fillRect(0, top, view.width, view.rowHeight);
    }
    const room = Math.max(1, view.rowHeight - (view.rowHeight > 8 ? 4 : 1));
    for (const [status, from, to] of this.rows.spans(row)) {
      const height = Math.max(1, room * STATUS_HEIGHT[status]);
      this.bar(this.x(from), this.x(to), top + (view.rowHeight - height) / 2, height, color(status));
    }
    if (view.rowHeight >= 10) this.text(this.rows.label(row, view.left), 10, top, color("ink"));
  }

  // Never thinner than a pixel, so that short drains of long runs are not lost.
  bar(from, to, top, height, fill) {
    const { left, right } = this.view;
    const [start, end] = [Math.max(left, from), Math.min(right, Math.max(to, from + 1))];
    if (end <= start) return;
    this.ctx.fillStyle = fill;
    this.ctx.fillRect(start, top, end - start, height);
  }

  text(words, left, top, fill) {
    const { ctx, view } = this;
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, top, view.left - 4, view.rowHeight);
    ctx.clip();
    ctx.fillStyle = fill;
    ctx.font = `${Math.min(11, view.rowHeight)}px system-ui, sans-serif`;
    ctx.textBaseline = "middle";
    ctx.fillText(words, left, top + view.rowHeight / 2 + 0.5);
    ctx.restore();
  }

  // Over the rows, because they scroll beneath it.
  axis() {
    const { ctx, view } = this;
    ctx.fillStyle = color("bg");
    ctx.fillRect(0, 0, view.width, LANE_AXIS);
    ctx.fillStyle = color("muted");
    ctx.font = "11px system-ui, sans-serif";
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    const { step, marks } = this.marks();
    for (const mark of marks) ctx.fillText(formatInstant(mark, step), this.x(mark), LANE_AXIS / 2);
    ctx.textAlign = "left";
  }
}
