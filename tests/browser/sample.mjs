// Made-up data in the shape that the page is given, the same on every machine.

export * from "./made/run.mjs";
export * from "./made/edges.mjs";
export * from "./made/compare.mjs";
