// The page of a comparison.

import assert from "node:assert/strict";
import { test } from "node:test";
import { windowsOf } from "../browser.mjs";
import * as samples from "../sample.mjs";

export default function (on) {
  test(
    "contenders are ranked, sorted by any column, and marked as keeping the SLO or not",
    on("compare", async (page) => {
      const { rows } = samples.compare();
      const labels = () => page.locator("#ranking-table tbody .contender").allInnerTexts();
      assert.deepEqual(
        await labels(),
        rows.map((row) => row.label),
      );
      await page.locator("#ranking-table").getByRole("button", { name: "cost" }).click();
      assert.deepEqual(
        await labels(),
        [...rows].sort((a, b) => a.values.usd.mean - b.values.usd.mean).map((row) => row.label),
      );
      assert.equal(
        await page.locator("#ranking-table .mark.met").count(),
        rows.filter((row) => row.keeps_slo).length,
      );
      assert.match(await page.locator("#ranking-table tbody").innerText(), /± \$0\.\d\d/);
    }),
  );

  test(
    "the classes of every contender stand in a table that can show one class alone",
    on("compare", async (page) => {
      const { rows } = samples.compare();
      const table = page.locator("#classes-table");
      assert.equal(await table.locator("tbody tr").count(), 2 * rows.length);
      assert.equal(
        await table.locator(".mark.missed").count(),
        rows.filter((row) => !row.keeps_slo).length,
      );
      await table.locator("select").selectOption("=chat");
      assert.equal(await table.locator("tbody tr").count(), rows.length);
      assert.ok(!(await table.locator("thead").innerText()).includes("cost"), "the fleet has no classes");
    }),
  );

  test(
    "the Pareto picture has a point for every contender, hollow where the SLO is missed, and a front",
    on("compare", async (page) => {
      const { rows } = samples.compare();
      assert.equal(await page.locator(".pareto circle").count(), rows.length);
      assert.equal(
        await page.locator(".pareto circle.missed").count(),
        rows.filter((row) => !row.keeps_slo).length,
      );
      const front = await page.locator(".pareto .front").getAttribute("points");
      assert.equal(front.split(" ").length, 6, "cheaper is always worse in this sample");
    }),
  );

  test(
    "a contender switched off in one legend is off in every chart",
    on("compare", async (page) => {
      const button = page.locator('#chart-fleet [data-key="kpa 7"]');
      await button.click();
      const pressed = await page
        .locator('[data-key="kpa 7"]')
        .evaluateAll((all) => all.map((one) => one.getAttribute("aria-pressed")));
      assert.deepEqual([...new Set(pressed)], ["false"]);
      assert.equal(pressed.length, 5, "fleet, paid, waiting, TTFT, TBT");
    }),
  );

  test(
    "charts of runs of different lengths begin and end at the same time",
    on("compare", async (page) => {
      const windows = await windowsOf(page);
      assert.equal(windows.length, 6);
      assert.equal(new Set(windows.map(String)).size, 1, `windows: ${windows.join("; ")}`);
    }),
  );

  test(
    "a comparison says which contenders were left out, and why",
    on("compare", async (page) => {
      assert.match(await page.locator(".left-out").innerText(), /oracle was left out: it needs a trace/);
    }),
  );
}
