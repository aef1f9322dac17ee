// The rows of the lanes: servers and the instances on them, in the order and choice the reader asked for.

const STATUSES = ["starting", "active", "draining"];

class LaneRows {
  constructor(run, causes) {
    Object.assign(this, { run, causes, text: "", pool: null, fate: "any", order: "server" });
    this.serverRow = new Map(run.servers.id.map((id, row) => [id, row]));
    this.arrange();
  }

  arrange() {
    const chosen = this.run.instances.id.map((_, row) => row).filter((row) => this.matches(row));
    this.instances = chosen.length;
    this.rows = this.order === "server" ? this.byServer(chosen) : this.sorted(chosen);
    this.place = new Map(this.rows.map((entry, place) => [entry.instance, place]));
  }

  byServer(chosen) {
    const { instances, servers } = this.run;
    const hosts = new Map();
    for (const row of chosen) {
      const host = this.serverRow.get(instances.server[row]) ?? -1;
      if (!hosts.has(host)) hosts.set(host, []);
      hosts.get(host).push(row);
    }
    const unfiltered = chosen.length === instances.id.length;
    if (unfiltered)
      servers.id.forEach((_, row) => {
        if (!hosts.has(row)) hosts.set(row, []);
      });
    const order = [...hosts.keys()].sort(
      (a, b) => (servers.created[a] ?? 0) - (servers.created[b] ?? 0) || a - b,
    );
    return order.flatMap((host) => [
      ...(host < 0 ? [] : [{ server: host }]),
      ...hosts.get(host).map((instance) => ({ instance })),
    ]);
  }

  sorted(chosen) {
    const { created } = this.run.instances;
    const keys = {
      start: (row) => created[row],
      drain: (row) => -(this.drain(row) ?? -1),
      id: (row) => this.run.instances.id[row],
    };
    const key = keys[this.order];
    return chosen.sort((a, b) => key(a) - key(b) || a - b).map((instance) => ({ instance }));
  }

  matches(row) {
    const { instances, pools } = this.run;
    if (this.pool !== null && instances.pool[row] !== this.pool) return false;
    if (!this.hadFate(row)) return false;
    if (!this.text) return true;
    const words = [
      `instance ${instances.id[row]}`,
      `server ${instances.server[row]}`,
      pools[instances.pool[row]],
      this.run.skus[instances.sku[row]],
      this.causes.words(row, "started_by"),
      this.causes.words(row, "drained_by"),
    ];
    return words.some((word) =>
      String(word ?? "")
        .toLowerCase()
        .includes(this.text),
    );
  }

  hadFate(row) {
    const { active, draining, removed } = this.run.instances;
    if (this.fate === "drained") return draining[row] !== null;
    if (this.fate === "cancelled") return active[row] === null && removed[row] !== null;
    if (this.fate === "left") return removed[row] === null;
    return true;
  }

  // The stretches of an instance's life as [status, from, to]; what is open lasts until the end of the run.
  spans(row) {
    const { created, active, draining, removed } = this.run.instances;
    const end = removed[row] ?? this.run.simulated_s;
    const [served, drained] = [active[row] ?? draining[row] ?? end, draining[row] ?? end];
    return [
      ["starting", created[row], served],
      ["active", active[row] ?? drained, drained],
      ["draining", drained, end],
    ].filter(([, from, to]) => to > from);
  }

  statusAt(row, moment) {
    return this.spans(row).find(([, from, to]) => moment >= from && moment < to)?.[0] ?? null;
  }

  drain(row) {
    const start = this.run.instances.draining[row];
    return start === null ? null : (this.run.instances.removed[row] ?? this.run.simulated_s) - start;
  }

  // Where there is little room the number alone: half a word tells nothing.
  label(row, room) {
    const { id, pool } = this.run.instances;
    return room < 70 || this.run.pools.length < 2
      ? String(id[row])
      : `${id[row]} ${this.run.pools[pool[row]] ?? ""}`;
  }
}
