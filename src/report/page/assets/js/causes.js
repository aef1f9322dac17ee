// Why an instance started or drained, and which instances a decision moved: the two directions of one link.
//
// Decisions are numbered within their application, so that a cause only means something together with one.

class Causes {
  constructor(run) {
    this.run = run;
    const { decisions, actions, instances } = run;
    this.decisionRow = new Map(
      (decisions?.n ?? []).map((number, row) => [`${decisions.application[row]} ${number}`, row]),
    );
    this.actionRow = new Map((actions?.n ?? []).map((number, row) => [number, row]));
    this.effects = new Map();
    instances.id.forEach((_, row) => {
      this.note(this.find(row, "started_by"), "started", row);
      this.note(this.find(row, "drained_by"), "drained", row);
    });
  }

  note({ kind, row }, effect, instance) {
    if (row === undefined) return;
    const key = `${kind} ${row}`;
    if (!this.effects.has(key)) this.effects.set(key, { started: [], drained: [] });
    this.effects.get(key)[effect].push(instance);
  }

  // The instances that a row of the decisions or of the actions started and drained.
  effectsOf(kind, row) {
    return this.effects.get(`${kind} ${row}`) ?? { started: [], drained: [] };
  }

  // What started or drained an instance: the kind of cause, and its row in the table of that kind if it was kept.
  find(instance, which) {
    const { instances } = this.run;
    const cause = instances[which]?.[instance];
    if (!cause) return { kind: "unknown" };
    if (cause === "start" || cause === "scheduler") return { kind: cause };
    const number = Number(cause.slice(1));
    if (cause[0] === "a") return { kind: "action", number, row: this.actionRow.get(number) };
    return {
      kind: "decision",
      number,
      row: this.decisionRow.get(`${instances.application[instance]} ${number}`),
    };
  }

  // A few words for filters and for causes that have no row to go to.
  words(instance, which) {
    const { kind, number, row } = this.find(instance, which);
    if (kind === "start") return "there from the start";
    if (kind === "scheduler") return "asked for by the scheduler";
    if (kind === "decision")
      return `decision ${number}${row === undefined ? "" : ` of ${this.run.decisions.policy[row]}`}`;
    if (kind === "action")
      return `action ${number}${row === undefined ? "" : `: ${this.run.actions.text[row]}`}`;
    return "cause unknown";
  }
}
