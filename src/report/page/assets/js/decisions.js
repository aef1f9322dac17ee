// What was decided about the fleet and what came of it: decisions, scripted actions, the scaling log, refusals.

const LINKS_IN_A_CELL = 3;

class FleetTables {
  constructor(run, causes) {
    Object.assign(this, { run, causes });
    this.instanceRow = new Map(run.instances.id.map((id, row) => [id, row]));
    this.manyApplications =
      new Set([...(run.decisions?.application ?? []), ...run.instances.application]).size > 1;
    this.decisions = this.decisionTable();
    this.actions = this.actionTable();
  }

  openDecision = (row) => this.decisions.highlight(row);

  openAction = (row) => this.actions.highlight(row);

  sections() {
    const { decisions_total, decisions, log, log_total, events, events_total } = this.run;
    return [
      section(
        "decisions",
        "Scaling decisions",
        this.cutWords(decisions?.n?.length, decisions_total, "decisions; those with an effect come first"),
        this.decisions?.box ?? nothing("No autoscaling policy decided anything in this run."),
      ),
      this.actions && section("actions", "Scripted actions", null, this.actions.box),
      section(
        "log",
        "Scaling log",
        this.cutWords(log?.time?.length, log_total, "lines"),
        this.logTable() ?? nothing("Nothing scaled in this run."),
      ),
      section(
        "events",
        "Refusals and other events",
        this.cutWords(events?.time?.length, events_total, "events"),
        this.eventTable() ?? nothing("Nothing was refused."),
      ),
    ].filter(Boolean);
  }

  cutWords(kept, total, what) {
    return kept && total > kept
      ? `${formatNumber(kept)} of ${formatNumber(total)} ${what}. The run's directory has all of them.`
      : null;
  }

  application(table) {
    return this.manyApplications
      ? [
          {
            key: "application",
            title: "app",
            number: true,
            value: (row) => table.application[row],
            choices: true,
          },
        ]
      : [];
  }

  decisionTable() {
    const table = this.run.decisions;
    if (!table?.n?.length) return null;
    const plain = (key, title, more = {}) => ({ key, title, value: (row) => table[key][row], ...more });
    const amount = (key, title, help) =>
      plain(key, title, { number: true, help, show: (row) => formatNumber(table[key][row]) });
    const columns = [
      plain("n", "n", { number: true }),
      timeColumn(table),
      ...this.application(table),
      plain("policy", "policy", { choices: true }),
      {
        key: "pool",
        title: "pool",
        choices: true,
        value: (row) => (table.pool[row] === null ? "" : this.run.pools[table.pool[row]]),
      },
      {
        key: "before",
        title: "before",
        number: true,
        help: "active + starting, and draining in brackets",
        value: (row) => (table.active[row] === null ? null : table.active[row] + table.starting[row]),
        show: (row) => beforeWords(table, row),
      },
      amount("raw", "raw", "what the policy computed"),
      plain("limited_by", "limited by", { choices: true }),
      amount("wanted", "wanted", "after limits and bounds"),
      plain("outcome", "outcome", { wide: true }),
      {
        key: "lanes",
        title: "lanes",
        number: true,
        value: (row) => this.moved("decision", row).length,
        show: (row) => this.links("decision", row),
        choices: (row) => (this.moved("decision", row).length > 0 ? "moved some" : "moved none"),
      },
      plain("reason", "reason", { wide: true }),
      plain("inputs", "inputs", { wide: true, code: true }),
    ];
    return new DataTable({
      id: "decisions-table",
      caption: "Scaling decisions",
      columns,
      count: table.n.length,
      sortBy: "time",
      rowId: (row) => `decision-${table.application[row]}-${table.n[row]}`,
      what: "decision",
    });
  }

  actionTable() {
    const table = this.run.actions;
    if (!table?.n?.length) return null;
    const columns = [
      { key: "n", title: "n", number: true, value: (row) => table.n[row] },
      timeColumn(table),
      { key: "text", title: "action", wide: true, value: (row) => table.text[row] },
      {
        key: "lanes",
        title: "lanes",
        number: true,
        value: (row) => this.moved("action", row).length,
        show: (row) => this.links("action", row),
      },
    ];
    return new DataTable({
      id: "actions-table",
      caption: "Scripted actions",
      columns,
      count: table.n.length,
      sortBy: "time",
      rowId: (row) => `action-${table.n[row]}`,
      what: "action",
    });
  }

  logTable() {
    const table = this.run.log;
    if (!table?.time?.length) return null;
    const columns = [
      timeColumn(table),
      ...this.application(table),
      wordColumn(table, "action"),
      this.targetColumn(table),
      wordColumn(table, "status"),
    ];
    return new DataTable({
      id: "log-table",
      caption: "Scaling log",
      columns,
      count: table.time.length,
      what: "line",
    }).box;
  }

  eventTable() {
    const table = this.run.events;
    if (!table?.time?.length) return null;
    const columns = [
      timeColumn(table),
      ...this.application(table),
      wordColumn(table, "event"),
      this.targetColumn(table),
      { key: "detail", title: "detail", wide: true, value: (row) => table.detail[row] },
    ];
    return new DataTable({
      id: "events-table",
      caption: "Refusals and other events",
      columns,
      count: table.time.length,
      what: "event",
    }).box;
  }

  targetColumn(table) {
    return {
      key: "target",
      title: "target",
      value: (row) => table.target[row],
      show: (row) => this.target(String(table.target[row] ?? "")),
    };
  }

  // "instance_5" becomes a way to its lane.
  target(name) {
    const row = this.instanceRow.get(Number(name.match(/^instance_(\d+)$/)?.[1] ?? NaN));
    return row === undefined ? readable(name) : linkButton(readable(name), () => this.openLane(row));
  }

  moved(kind, row) {
    const { started, drained } = this.causes.effectsOf(kind, row);
    return [...started.map((row) => ["+", row]), ...drained.map((row) => ["−", row])];
  }

  links(kind, row) {
    const moved = this.moved(kind, row);
    const shown = moved.slice(0, LINKS_IN_A_CELL).map(([sign, instance]) => this.laneLink(sign, instance));
    return element(
      "span",
      { class: "links" },
      shown,
      moved.length > LINKS_IN_A_CELL && `and ${moved.length - LINKS_IN_A_CELL} more`,
    );
  }

  laneLink(sign, instance) {
    const id = this.run.instances.id[instance];
    return linkButton(`${sign}${id}`, () => this.openLane(instance), {
      "data-lane": id,
      title: `${sign === "+" ? "started" : "drained"} instance ${id}`,
    });
  }
}

const timeColumn = (table) => ({
  key: "time",
  title: "time",
  number: true,
  value: (row) => table.time[row],
  show: (row) => formatInstant(table.time[row]),
});

const wordColumn = (table, key) => ({
  key,
  title: key,
  choices: true,
  value: (row) => table[key][row],
  show: (row) => readable(table[key][row] ?? ""),
});

function beforeWords(table, row) {
  if (table.active[row] === null) return UNKNOWN;
  const starting = table.starting[row] > 0 ? ` + ${table.starting[row]}` : "";
  const draining = table.draining[row] > 0 ? ` (${table.draining[row]})` : "";
  return `${table.active[row]}${starting}${draining}`;
}
