// All charts and the lanes show the same stretch of time and point at the same moment.

import assert from "node:assert/strict";
import { test } from "node:test";
import { plotOf, rowAt, settled, windowsOf } from "../browser.mjs";

export default function (on) {
  test(
    "a drag over one chart zooms all charts and the lanes, and the button shows the whole run again",
    on("run", async (page) => {
      await page.locator("#chart-ttft").scrollIntoViewIfNeeded();
      const plot = await page.locator("#chart-ttft .u-over").boundingBox();
      const before = await windowsOf(page);
      await page.mouse.move(plot.x + plot.width * 0.25, plot.y + 40);
      await page.mouse.down();
      await page.mouse.move(plot.x + plot.width * 0.5, plot.y + 45, { steps: 5 });
      await page.mouse.up();
      await settled(page);
      const windows = await windowsOf(page);
      assert.equal(windows.length, 11, "ten charts and the lanes");
      for (const [from, to] of windows)
        assert.ok(Math.abs(from - 150) < 3 && Math.abs(to - 300) < 3, `${from} to ${to}`);
      await page.locator("#reset-zoom").click();
      await settled(page);
      assert.deepEqual(await windowsOf(page), before);
      assert.ok(await page.locator("#reset-zoom").isDisabled());
    }),
  );

  test(
    "a drag over the lanes zooms the charts, and a double click shows the whole run again",
    on("run", async (page) => {
      const at = await rowAt(page, 3);
      await page.mouse.move(at.x, at.y);
      await page.mouse.down();
      await page.mouse.move(at.x + 200, at.y + 5, { steps: 5 });
      await page.mouse.up();
      await settled(page);
      const [[from, to]] = await windowsOf(page);
      assert.ok(from > 100 && to < 500, `${from} to ${to}`);
      await page.mouse.dblclick(at.x, at.y);
      await settled(page);
      assert.deepEqual((await windowsOf(page))[0], [0, 600]);
    }),
  );

  test(
    "a shift-drag pans, and ctrl with the wheel zooms around the pointer",
    on("run", async (page) => {
      const plot = await plotOf(page, "fleet");
      const middle = [plot.x + plot.width / 2, plot.y + 60];
      await page.mouse.move(...middle);
      await page.keyboard.down("Control");
      await page.mouse.wheel(0, -200);
      await page.keyboard.up("Control");
      await settled(page);
      const [[from, to]] = await windowsOf(page);
      assert.ok(from > 100 && to < 500 && Math.abs(from + to - 600) < 5, `${from} to ${to}`);
      await page.keyboard.down("Shift");
      await page.mouse.down();
      await page.mouse.move(middle[0] + 100, middle[1], { steps: 4 });
      await page.mouse.up();
      await page.keyboard.up("Shift");
      await settled(page);
      const [[panned, end]] = await windowsOf(page);
      assert.ok(panned < from - 10 && Math.abs(end - panned - (to - from)) < 1e-6, `${panned} to ${end}`);
    }),
  );

  test(
    "the pointer over one chart tells the values of that moment in all of them",
    on("run", async (page) => {
      const values = () => page.locator(".legend output").allInnerTexts();
      const peaks = await values();
      const plot = await plotOf(page, "fleet");
      await page.mouse.move(plot.x + plot.width * 0.1, plot.y + 60);
      await settled(page);
      assert.match(await page.locator(".when").innerText(), /^at (1:00|59|0:59|60)/);
      assert.notDeepEqual(await values(), peaks);
      const tip = await page.locator("#chart-fleet .tip").innerText();
      assert.match(tip, /active \d/);
      assert.match(tip, /offered load [\d.]+\/s/);
      assert.ok(await page.locator(".lane-cursor").isVisible());
    }),
  );

  test(
    "charts answer to the keyboard",
    on("run", async (page) => {
      await page.locator("#chart-fleet .plot").focus();
      await page.keyboard.press("+");
      await page.keyboard.press("ArrowRight");
      await settled(page);
      const [[from, to]] = await windowsOf(page);
      assert.ok(to - from < 400 && from + to > 620, `${from} to ${to}`);
      await page.keyboard.press("0");
      await settled(page);
      assert.deepEqual((await windowsOf(page))[0], [0, 600]);
    }),
  );

  test(
    "the first stop of the tab key leads past the head",
    on("run", async (page) => {
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    }),
  );

  test(
    "a switch of the legend takes its series off the chart",
    on("run", async (page) => {
      const picture = () => page.locator("#chart-fleet canvas").evaluate((canvas) => canvas.toDataURL());
      const before = await picture();
      const button = page.locator('#chart-fleet [data-key="active"]');
      await button.click();
      await settled(page);
      assert.equal(await button.getAttribute("aria-pressed"), "false");
      assert.notEqual(await picture(), before);
    }),
  );

  test(
    "a pool can be looked at by itself",
    on("run", async (page) => {
      const active = () => page.locator('#chart-fleet [data-key="active"] output').innerText();
      const all = await active();
      await page.locator(".time-bar").getByLabel("pool").selectOption("0");
      await settled(page);
      assert.notEqual(await active(), all);
      assert.equal(
        await page.locator('#chart-kv_share [data-key="pool-1"]').getAttribute("aria-pressed"),
        "false",
      );
    }),
  );
}
