// Beside the lanes: one instance's life in dates and lengths, and what started and drained it.

class LanePanel {
  constructor(run, causes, rows) {
    Object.assign(this, { run, causes });
    this.openDecision = rows.openDecision;
    this.openAction = rows.openAction;
    this.box = element(
      "aside",
      { class: "panel", id: "lane-panel", "aria-label": "Chosen instance", "aria-live": "polite" },
      nothing("No lane is chosen."),
    );
  }

  show(row) {
    const { instances, pools } = this.run;
    this.box.replaceChildren(
      element(
        "h3",
        {},
        `instance ${instances.id[row]}`,
        element("small", {}, pools[instances.pool[row]] ?? ""),
      ),
      element(
        "dl",
        {},
        this.facts(row).map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
      ),
      this.cause("Started by", row, "started_by"),
      instances.draining[row] !== null || instances.drained_by?.[row]
        ? this.cause(instances.active[row] === null ? "Cancelled by" : "Drained by", row, "drained_by")
        : element("p", { class: "muted" }, "Never drained."),
    );
    this.box.dataset.instance = instances.id[row];
  }

  facts(row) {
    const { instances, skus, simulated_s } = this.run;
    const [created, active, draining, removed] = ["created", "active", "draining", "removed"].map(
      (key) => instances[key][row],
    );
    const end = removed ?? simulated_s;
    const served = active === null ? 0 : end - active;
    const lasting = (from, to) => `${formatInstant(from)}, for ${formatSeconds(to - from)}`;
    return [
      ["starting from", lasting(created, active ?? draining ?? end)],
      ["active from", active === null ? "never" : lasting(active, draining ?? end)],
      draining !== null && ["draining from", lasting(draining, end)],
      ["removed at", removed === null ? "there at the end" : formatInstant(removed)],
      [
        "busy",
        served > 0 ? `${formatShare(instances.busy_s[row] / served)} of ${formatSeconds(served)}` : UNKNOWN,
      ],
      ["tasks", formatNumber(instances.tasks[row])],
      [
        "on",
        `server ${instances.server[row]}, ${plural(instances.gpus[row], "GPU")} of ${skus[instances.sku[row]] ?? "unknown kind"}`,
      ],
    ].filter(Boolean);
  }

  cause(title, instance, which) {
    const found = this.causes.find(instance, which);
    const told = { decision: () => this.decision(found), action: () => this.action(found) }[found.kind];
    return element(
      "div",
      { class: "cause", "data-cause": found.kind },
      element("h4", {}, title),
      told ? told() : element("p", {}, this.causes.words(instance, which)),
    );
  }

  decision({ number, row }) {
    if (row === undefined)
      return element("p", {}, `Decision ${number}, which is not among the rows kept in this file.`);
    const { decisions, pools } = this.run;
    const pool = decisions.pool[row] === null || pools.length < 2 ? "" : ` for ${pools[decisions.pool[row]]}`;
    return element(
      "div",
      {},
      element(
        "p",
        {},
        linkButton(`decision ${number}`, () => this.openDecision(row), { "data-decision": number }),
        ` of ${decisions.policy[row]} at ${formatInstant(decisions.time[row])}`,
      ),
      element("p", { class: "reason" }, decisions.reason[row] || "No reason was given."),
      decisions.active[row] !== null &&
        element(
          "p",
          {},
          `${formatNumber(decisions.active[row])} active, ${formatNumber(decisions.starting[row])} starting → wanted ${formatNumber(decisions.wanted[row])}${pool}`,
        ),
      decisions.limited_by[row] && element("p", {}, `limited by ${decisions.limited_by[row]}`),
      decisions.inputs[row] && element("p", { class: "inputs" }, decisions.inputs[row]),
    );
  }

  action({ number, row }) {
    if (row === undefined) return element("p", {}, `Action ${number} of the scenario's script.`);
    const { actions } = this.run;
    return element(
      "div",
      {},
      element(
        "p",
        {},
        linkButton(`action ${number}`, () => this.openAction(row), { "data-action": number }),
        ` of the scenario's script at ${formatInstant(actions.time[row])}`,
      ),
      element("p", { class: "reason" }, actions.text[row]),
    );
  }
}
