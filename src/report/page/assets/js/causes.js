// Why an instance started or drained, and which instances a decision moved: the two directions of one link.

class Causes {
  constructor(run) {
    this.run = run;
    this.rows = { d: rowsByNumber(run.decisions), a: rowsByNumber(run.actions) };
    this.effects = new Map();
    run.instances.id.forEach((_, row) => {
      this.note(run.instances.started_by?.[row], "started", row);
      this.note(run.instances.drained_by?.[row], "drained", row);
    });
  }

  note(cause, effect, row) {
    if (!cause) return;
    if (!this.effects.has(cause)) this.effects.set(cause, { started: [], drained: [] });
    this.effects.get(cause)[effect].push(row);
  }

  // The instances that a decision ("d12") or an action ("a3") started and drained.
  of(cause) { return this.effects.get(cause) ?? { started: [], drained: [] }; }

  // What a cause is: its kind, and its row in the table of that kind, where that row was kept.
  find(cause) {
    if (!cause) return { kind: "unknown" };
    if (cause === "start" || cause === "scheduler") return { kind: cause };
    const kind = cause[0] === "d" ? "decision" : "action";
    return { kind, number: Number(cause.slice(1)), row: this.rows[cause[0]]?.get(Number(cause.slice(1))) };
  }

  // A few words for lists, tooltips and filters.
  words(cause) {
    const { kind, number, row } = this.find(cause);
    if (kind === "start") return "there from the start";
    if (kind === "scheduler") return "asked for by the scheduler";
    if (kind === "decision") return `decision ${number}${row === undefined ? "" : ` of ${this.run.decisions.policy[row]}`}`;
    if (kind === "action") return `action ${number}${row === undefined ? "" : `: ${this.run.actions.text[row]}`}`;
    return "cause unknown";
  }
}

const rowsByNumber = (table) => new Map((table?.n ?? []).map((number, row) => [number, row]));
