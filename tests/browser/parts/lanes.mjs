// Lanes, decisions and actions lead to one another.

import assert from "node:assert/strict";
import { test } from "node:test";
import { rowAt } from "../browser.mjs";
import * as samples from "../sample.mjs";

export default function (on) {
  test(
    "a click on a lane shows the life of its instance and the decision that started it",
    on("run", async (page) => {
      const at = await rowAt(page, 10); // server 3 is row 9, its first instance row 10
      await page.mouse.click(at.x, at.y);
      const panel = page.locator("#lane-panel");
      await panel.locator("[data-decision]").first().waitFor();
      assert.equal(await panel.getAttribute("data-instance"), "6");
      const text = await panel.innerText();
      for (const expected of [
        "instance 6",
        "starting from",
        "draining from",
        "Started by",
        "queue per instance above its target",
        "queue[60]=",
        "Drained by",
      ])
        assert.ok(text.includes(expected), `${expected} in ${text}`);
    }),
  );

  test(
    "the panel leads to the decision's row, and the row back to the lane",
    on("run", async (page) => {
      const at = await rowAt(page, 10);
      await page.mouse.click(at.x, at.y);
      await page.locator("#lane-panel [data-decision]").first().click();
      const row = page.locator("#decisions-table tr.highlight");
      assert.match(await row.innerText(), /started instance_6/);
      assert.ok(await row.evaluate((line) => document.activeElement === line), "the row has the focus");
      await page.locator('#decisions-table [data-lane="10"]').first().click();
      assert.equal(await page.locator("#lanes").getAttribute("data-selected"), "10");
      assert.equal(await page.locator("#lane-panel").getAttribute("data-instance"), "10");
    }),
  );

  test(
    "a filtered-out decision is still found from the lanes, and a filtered-out lane from the decisions",
    on("run", async (page) => {
      await page.locator("#lifecycle .filters input").fill("instance 23");
      assert.equal(await page.locator("#lanes").getAttribute("data-lanes"), "1");
      await page.locator('#decisions-table [data-lane="6"]').first().click();
      assert.equal(await page.locator("#lanes").getAttribute("data-lanes"), "24");
      await page.locator("#decisions-table input").fill("no such decision");
      assert.equal(await page.locator("#decisions-table tbody tr").count(), 0);
      await page.locator("#lane-panel [data-decision]").first().click();
      assert.equal(await page.locator("#decisions-table tr.highlight").count(), 1);
    }),
  );

  test(
    "lanes without a decision say what else started them",
    on("run", async (page) => {
      const first = await rowAt(page, 1);
      await page.mouse.click(first.x, first.y);
      assert.match(await page.locator("#lane-panel").innerText(), /there from the start/);
      const scripted = await rowAt(page, 11); // instance 7
      await page.mouse.click(scripted.x, scripted.y);
      assert.match(await page.locator("#lane-panel").innerText(), /action 1 of the scenario's script/);
      await page.locator("#lane-panel [data-action]").click();
      assert.equal(await page.locator("#actions-table tr.highlight").count(), 1);
    }),
  );

  test(
    "lanes answer to the keyboard",
    on("run", async (page) => {
      await page.locator("#lanes").focus();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      assert.equal(await page.locator("#lanes").getAttribute("data-selected"), "1");
      await page.keyboard.press("ArrowUp");
      assert.equal(await page.locator("#lane-panel").getAttribute("data-instance"), "0");
      await page.keyboard.press("PageDown");
      assert.equal(await page.locator("#lanes").getAttribute("data-selected"), "20");
      assert.ok(
        await page.locator("#lanes").evaluate((lanes) => lanes.scrollTop > 0),
        "scrolled to the chosen lane",
      );
    }),
  );

  test(
    "lanes are filtered by pool, by fate and by text, and ordered by the length of drains",
    on("run", async (page) => {
      const count = async () => Number(await page.locator("#lanes").getAttribute("data-lanes"));
      const data = samples.run();
      await page.locator("#lifecycle").getByLabel("pool").selectOption("0");
      assert.equal(await count(), data.instances.pool.filter((pool) => pool === 0).length);
      await page.locator("#lifecycle").getByLabel("pool").selectOption("");
      await page.locator("#lifecycle").getByLabel("which").selectOption("drained");
      assert.equal(await count(), data.instances.draining.filter((start) => start !== null).length);
      await page.locator("#lifecycle").getByLabel("order").selectOption("drain");
      await page.locator("#lanes").focus();
      await page.keyboard.press("ArrowDown");
      assert.equal(
        await page.locator("#lane-panel").getAttribute("data-instance"),
        "12",
        "its drain never ended",
      );
    }),
  );
}
