// A report opens without trouble, draws everything it has, and says what is not there.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SAMPLES } from "../assemble.mjs";
import { coloursOf, rowAt, settled, workOf } from "../browser.mjs";
import * as samples from "../sample.mjs";

export default function (on) {
  for (const sample of SAMPLES) {
    test(
      `the sample ${sample} opens without an error, a warning or a request, and leaves no canvas blank`,
      on(sample, async (page) => {
        const colours = await coloursOf(page, "canvas");
        assert.ok(colours.length >= 4, `${colours.length} canvases`);
        assert.ok(
          colours.every((count) => count > 3),
          `colours: ${colours}`,
        );
      }),
    );
  }

  test(
    "there is a chart for every quantity of a run",
    on("run", async (page) => {
      for (const id of [
        "fleet",
        "rate",
        "stages",
        "ttft",
        "tbt",
        "e2e",
        "kv_share",
        "busy_share",
        "tokens",
        "cost",
      ]) {
        assert.equal(await page.locator(`#chart-${id} canvas`).count(), 1, id);
      }
    }),
  );

  for (const [sample, count] of [
    ["run", 24],
    ["oneInstance", 1],
    ["largest", 20000],
  ]) {
    test(
      `the sample ${sample} has a lane for each of its ${count} instances`,
      on(sample, async (page) => {
        assert.equal(await page.locator("#lanes").getAttribute("data-lanes"), String(count));
      }),
    );
  }

  test(
    "names and reasons are shown as they are written, whatever they hold",
    on("hostile", async (page) => {
      assert.equal(await page.locator("h1").innerText(), samples.HOSTILE);
      assert.equal(await page.title(), samples.HOSTILE);
      assert.equal(await page.locator("img").count(), 0);
      assert.ok(
        (await page.locator("#decisions-table tbody tr").first().innerText()).includes(samples.HOSTILE),
      );
      const at = await rowAt(page, 10);
      await page.mouse.click(at.x, at.y);
      assert.ok((await page.locator("#lane-panel").innerText()).includes(samples.HOSTILE));
    }),
  );

  test(
    "the largest file opens with less than three seconds of work",
    on("largest", async (page) => {
      const seconds = await workOf(page);
      assert.ok(seconds < 3, `took ${seconds} s`);
    }),
  );

  test(
    "twenty thousand lanes scroll and zoom without being drawn all at once",
    on("largest", async (page) => {
      const before = await workOf(page);
      await page.locator("#lanes").evaluate((lanes) => {
        lanes.scrollTop = lanes.scrollHeight / 2;
      });
      await page.locator("#lanes").press("+");
      await settled(page);
      const work = (await workOf(page)) - before;
      assert.ok(work < 0.5, `${work} s of work`);
      assert.ok(await page.locator("#lanes canvas").evaluate((canvas) => canvas.height < 2000));
      assert.match(await page.locator("#lanes-summary").innerText(), /20,000 of 31,000/);
    }),
  );

  test(
    "a run in which nothing completed says so where latencies would stand",
    on("nothingCompleted", async (page) => {
      for (const [place, words] of [
        ["#chart-ttft", "No request completed"],
        ["#latencies", "No request completed"],
        ["#slowest", "none can be shown"],
        ["#distributions", "Nothing completed"],
        [".incomplete", "stopped at"],
        [".slo", "✗"],
      ]) {
        assert.ok((await page.locator(place).innerText()).includes(words), `${place}: ${words}`);
      }
    }),
  );

  test(
    "a run without rows of requests, SLO or ScalingManager says what is not there",
    on("summaryOnly", async (page) => {
      for (const [place, words] of [
        ["#chart-rate", "kept no rows"],
        ["#chart-ttft", "kept no rows"],
        ["#slo", "sets no"],
        ["#decisions", "No autoscaling policy"],
        ["#log", "Nothing scaled"],
        ["#events", "Nothing was refused"],
      ]) {
        assert.ok((await page.locator(place).innerText()).includes(words), `${place}: ${words}`);
      }
      assert.equal(await page.locator("#chart-fleet canvas").count(), 1);
    }),
  );
}
