// Made-up instances, servers, and the decisions that moved them.

import { round } from "./numbers.mjs";

// Instances that come and go after the load, prompt and token pools, each start and drain with its decision.
export function fleet(random, instanceCount, simulated) {
  const table = Object.fromEntries(
    [
      "id",
      "application",
      "server",
      "sku",
      "gpus",
      "pool",
      "created",
      "active",
      "draining",
      "removed",
      "busy_s",
      "tasks",
      "started_by",
      "drained_by",
    ].map((key) => [key, []]),
  );
  const servers = { id: [], sku: [], gpus: [], created: [], removed: [] };
  const first = Math.max(1, Math.round(instanceCount / 4));
  for (let index = 0; index < instanceCount; index += 1) {
    const early = index < first;
    const grown = (index - first) / Math.max(1, instanceCount - first);
    const created = early ? 0 : round(60 + grown * 330 + random() * 8, 3);
    const cancelled = !early && index % 17 === 11;
    const active = early ? 0 : cancelled ? null : round(created + 20 + random() * 12, 3);
    const drains = !cancelled && (!early || index === 0) && index % 5 !== 4;
    const draining = drains ? round(Math.min(simulated - 30, (active ?? 0) + 90 + random() * 140), 3) : null;
    const open = drains && index % 13 === 12;
    const removed = cancelled
      ? round(created + 9, 3)
      : drains && !open
        ? round(Math.min(simulated, draining + 2 + random() * random() * 60), 3)
        : null;
    const row = {
      id: index,
      application: 0,
      server: Math.floor(index / 2),
      sku: index % 2,
      gpus: 4,
      pool: index % 3 === 2 ? 0 : 1,
      created,
      active,
      draining,
      removed,
      busy_s: round(((removed ?? simulated) - (active ?? simulated)) * (0.4 + random() * 0.5), 3),
      tasks: cancelled ? 0 : Math.round(20 + random() * 200),
      started_by: early ? "start" : index % 11 === 7 ? "a1" : index % 11 === 9 ? "scheduler" : `d${index}`,
      drained_by: drains ? `d${instanceCount + index}` : null,
    };
    for (const [key, value] of Object.entries(row)) table[key].push(value);
    if (index % 2 === 0)
      for (const [key, value] of Object.entries({
        id: index / 2,
        sku: 0,
        gpus: 8,
        created: Math.max(0, created - 5),
        removed: null,
      }))
        servers[key].push(value);
  }
  return { table, servers };
}

export function decisionsOf({ table }, random, idle) {
  const rows = [];
  const moves = table.id.flatMap((id, row) =>
    [
      table.started_by[row]?.startsWith("d") && {
        n: Number(table.started_by[row].slice(1)),
        time: Math.max(0, table.created[row] - 0.5),
        up: true,
        id,
        pool: table.pool[row],
      },
      table.drained_by[row]?.startsWith("d") && {
        n: Number(table.drained_by[row].slice(1)),
        time: Math.max(0, table.draining[row] - 0.5),
        up: false,
        id,
        pool: table.pool[row],
      },
    ].filter(Boolean),
  );
  for (const move of moves.slice(0, 1900)) {
    const before = 3 + Math.floor(random() * 6);
    const raw = before + (move.up ? 1 : -1);
    rows.push({
      n: move.n,
      application: 0,
      time: round(move.time, 3),
      policy: move.pool === 0 ? "hpa" : "queue_depth",
      pool: move.pool,
      active: before,
      starting: move.up ? 1 : 0,
      draining: move.up ? 0 : 1,
      inputs: `queue[60]=${(random() * 9).toFixed(1)}@1.5 ttft_p99[60]=${(random() * 3).toFixed(2)}@2.0`,
      raw,
      limited_by: random() < 0.1 ? "max_surge" : "",
      wanted: raw,
      reason: move.up
        ? "queue per instance above its target for 30 s"
        : "utilisation below 0.35 in the stable window",
      outcome: move.up ? `started instance_${move.id}` : `drains instance_${move.id}`,
    });
  }
  for (let index = 0; index < idle; index += 1) {
    rows.push({
      n: 100000 + index,
      application: 0,
      time: 15 * index,
      policy: "hpa",
      pool: null,
      active: 6,
      starting: 0,
      draining: 0,
      inputs: "utilisation=0.52@0.60",
      raw: 6,
      limited_by: "",
      wanted: null,
      reason: "within the tolerance of 10 %",
      outcome: "held",
    });
  }
  rows.sort((a, b) => a.time - b.time);
  const numbers = new Map(rows.map((row, index) => [`d${row.n}`, `d${index}`]));
  for (const key of ["started_by", "drained_by"])
    table[key] = table[key].map((cause) => numbers.get(cause) ?? cause);
  rows.forEach((row, index) => {
    row.n = index;
  });
  return Object.fromEntries(
    [
      "n",
      "application",
      "time",
      "policy",
      "pool",
      "active",
      "starting",
      "draining",
      "inputs",
      "raw",
      "limited_by",
      "wanted",
      "reason",
      "outcome",
    ].map((key) => [key, rows.map((row) => row[key])]),
  );
}
