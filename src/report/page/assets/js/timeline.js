// The one stretch of time that all charts and the lanes show, and the moment they all point at.

class Timeline {
  constructor(end) {
    this.end = end > 0 ? end : 1;
    this.from = 0;
    this.to = this.end;
    moments.asClock = this.end >= 120;
    this.moment = null;
    this.onWindow = [];
    this.onMoment = [];
  }

  get span() {
    return this.to - this.from;
  }

  get whole() {
    return this.from === 0 && this.to === this.end;
  }

  show(from, to) {
    const span = Math.min(this.end, Math.max(to - from, this.end * 1e-6));
    const start = Math.min(Math.max(0, from), this.end - span);
    if (start === this.from && start + span === this.to) return;
    [this.from, this.to] = [start, span === this.end ? this.end : start + span];
    for (const listener of this.onWindow) listener(this);
  }

  pan(share) {
    this.show(this.from + share * this.span, this.to + share * this.span);
  }

  // Scales the window around a moment that stays where it is.
  zoom(factor, around = (this.from + this.to) / 2) {
    this.show(around - (around - this.from) * factor, around + (this.to - around) * factor);
  }

  reset() {
    this.show(0, this.end);
  }

  // Makes sure that a stretch can be seen, with some air around it.
  include(from, to) {
    if (from >= this.from && to <= this.to) return;
    const air = Math.max((to - from) * 0.2, this.span * 0.05);
    this.show(Math.min(this.from, from - air), Math.max(this.to, to + air));
  }

  pointAt(moment) {
    if (moment === this.moment) return;
    this.moment = moment;
    for (const listener of this.onMoment) listener(moment);
  }
}

// Distances of marks on a time axis that people count in.
const TIME_STEPS = [
  ...[-6, -5, -4, -3, -2, -1].flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`))),
  1,
  2,
  5,
  10,
  15,
  30,
  60,
  120,
  300,
  600,
  900,
  1800,
  3600,
  7200,
  10800,
  21600,
  43200,
  86400,
  172800,
  432000,
  864000,
  2592000,
  8640000,
];

function timeMarks(from, to, pixels, pixelsPerMark = 90) {
  const wanted = ((to - from) / Math.max(pixels, 1)) * pixelsPerMark;
  const step = TIME_STEPS.find((candidate) => candidate >= wanted) ?? TIME_STEPS.at(-1);
  const marks = [];
  for (let index = Math.ceil(from / step - 1e-9); index * step <= to; index += 1) marks.push(index * step);
  return { step, marks };
}
