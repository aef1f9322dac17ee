// Reports of real runs, where EBBFLOW_REPORT_DIR names directories that hold some.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { coloursOf, settled } from "../browser.mjs";

const DIRECTORIES = (process.env.EBBFLOW_REPORT_DIR ?? "").split(":").filter(Boolean);

// The instances that a run's own files know of, or null where a page stands alone.
function instancesIn(directory) {
  const lives = join(directory, "lifecycle");
  if (!existsSync(lives)) return null;
  const tables = readdirSync(lives).filter((file) => /^\d+\.csv$/.test(file));
  return tables.reduce(
    (sum, file) => sum + readFileSync(join(lives, file), "utf8").trim().split("\n").length - 1,
    0,
  );
}

export default function (on) {
  for (const directory of DIRECTORIES) {
    for (const name of readdirSync(directory).filter((file) => file.endsWith(".html"))) {
      const file = join(directory, name);

      test(
        `the real page ${file} opens, draws, and fits a phone`,
        on(file, async (page) => {
          assert.ok((await coloursOf(page, "canvas")).every((count) => count > 3));
          await page.setViewportSize({ width: 400, height: 800 });
          await settled(page);
          assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 400);
        }),
      );

      const instances = instancesIn(directory);
      if (!instances) continue;

      test(
        `the real page ${file} has a lane for each instance, and every one of them knows why it started`,
        on(file, async (page) => {
          const lanes = Number(await page.locator("#lanes").getAttribute("data-lanes"));
          const summary = await page.locator("#lanes-summary").innerText();
          assert.ok(
            lanes === instances || summary.includes(`of ${instances.toLocaleString("en-US")} instances`),
            summary,
          );
          await page.locator("#lanes").focus();
          for (let step = 0; step < Math.min(lanes, 20); step += 1) {
            await page.keyboard.press("ArrowDown");
            assert.doesNotMatch(await page.locator("#lane-panel").innerText(), /cause unknown/);
          }
        }),
      );
    }
  }
}
