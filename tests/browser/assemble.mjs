// Puts the page together from the same parts and by the same rule as the program does (src/report/page/mod.rs),
// so that it can be tried before there is a program: `node assemble.mjs FOLDER` writes all samples there.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as samples from "./sample.mjs";

const PAGE = join(dirname(fileURLToPath(import.meta.url)), "../../src/report/page");

const escapeText = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

export function render(title, json) {
  const given = { title: escapeText(title), data: json.replaceAll("<", "\\u003c") };
  return readFileSync(join(PAGE, "assets/page.html"), "utf8").replace(
    /\{\{(.+?)\}\}/g,
    (_, name) => given[name] ?? readFileSync(join(PAGE, name), "utf8"),
  );
}

export const SAMPLES = [
  "run",
  "nothingCompleted",
  "summaryOnly",
  "oneInstance",
  "largest",
  "hostile",
  "compare",
];

// The files of all samples, by the sample's name.
export function writeSamples(folder) {
  mkdirSync(folder, { recursive: true });
  return Object.fromEntries(
    SAMPLES.map((name) => {
      const data = samples[name]();
      const file = join(folder, `${name}.html`);
      writeFileSync(file, render(data.name, JSON.stringify(data)));
      return [name, file];
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of Object.values(writeSamples(process.argv[2] ?? "samples"))) console.log(file);
}
