// Tables and slowest requests are sorted and filtered.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as samples from "../sample.mjs";

export default function (on) {
  test(
    "tables sort both ways, filter, and keep the page small",
    on("largest", async (page) => {
      const table = page.locator("#decisions-table");
      assert.equal(await table.locator("tbody tr").count(), 100);
      await table.getByRole("button", { name: /^Show/ }).click();
      assert.equal(await table.locator("tbody tr").count(), 500);
      const times = async () => (await table.locator("tbody tr td:first-child").allInnerTexts()).map(Number);
      await table.locator('th[data-key="n"] button').click();
      const rising = await times();
      assert.deepEqual(
        rising,
        [...rising].sort((a, b) => a - b),
      );
      await table.locator('th[data-key="n"] button').click();
      assert.ok((await times())[0] > rising[0]);
      assert.equal(await table.locator('th[data-key="n"]').getAttribute("aria-sort"), "descending");
      await table.getByLabel("policy").selectOption("=queue_depth");
      assert.ok(!(await table.locator("tbody").innerText()).includes("hpa"));
      await table.getByLabel("Filter by text").fill("nothing says this");
      assert.equal(await table.locator("tbody tr").count(), 0);
    }),
  );

  test(
    "classes of requests stand beside what was promised to them, pools beside what their engines counted",
    on("run", async (page) => {
      const classes = page.locator("#classes-table");
      assert.match(await classes.locator("tbody").innerText(), /chat[\s\S]*✓ ttft\.p99<2s 605 ms[\s\S]*✗ longest_gap/);
      await classes.getByRole("button", { name: "attained" }).click();
      assert.match(await classes.locator("tbody tr").last().innerText(), /batch/, "without a promise comes last");
      const engines = page.locator("#engines-table tbody");
      assert.match(await engines.innerText(), /prompt[\s\S]*41\.2 %[\s\S]*token[\s\S]*37/);
      assert.match(await page.locator("#latencies").innerText(), /token gap[\s\S]*longest gap/);
    }),
  );

  test(
    "a run without classes and counting engines has no tables of them",
    on("summaryOnly", async (page) => {
      assert.equal(await page.locator("#classes, #engines").count(), 0);
    }),
  );

  test(
    "slowest requests are ordered as asked for, and lead to the lanes of their instances",
    on("run", async (page) => {
      const first = () => page.locator(".waterfall .who b").first().innerText();
      const [byE2e, byTtft] = ["e2e_s", "ttft_s"].map(
        (key) => [...samples.run().slowest].sort((a, b) => b[key] - a[key])[0],
      );
      assert.equal(await first(), `request ${byE2e.id}`);
      await page.locator("#slowest").getByLabel("slowest by").selectOption("ttft_s");
      assert.equal(await first(), `request ${byTtft.id}`);
      await page.locator(".waterfall .where button").first().click();
      assert.equal(
        await page.locator("#lanes").getAttribute("data-selected"),
        String(byTtft.prefill.instance),
      );
    }),
  );
}
