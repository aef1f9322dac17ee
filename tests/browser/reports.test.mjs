// The report in a real browser: that it draws, that its parts are linked, that it stays readable everywhere.
//
// Runs over made-up samples, and over real reports where EBBFLOW_REPORT_DIR names directories with some
// (separated by ":"). Without a browser or its driver everything is skipped, with one line that says why.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { SAMPLES, writeSamples } from "./assemble.mjs";
import { coloursOf, findBrowser, open, settled, windowsOf, workOf } from "./browser.mjs";
import * as samples from "./sample.mjs";

const { launch, missing } = await findBrowser();
if (missing) console.log(`browser tests skipped: ${missing}`);

describe("a report in a browser", { skip: missing ?? false }, () => {
  let browser;
  let files;
  let folder;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "ebbflow-reports-"));
    files = writeSamples(folder);
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  // Runs what a test does with a page, and then asks whether the page complained.
  const on = (sample, act, how) => async () => {
    const { page, troubles, close } = await open(browser, files[sample], how);
    try {
      await act(page);
      assert.deepEqual(troubles, []);
    } finally {
      await close();
    }
  };

  const laneBox = (page) => page.locator("#lanes").boundingBox();

  // Where the middle of the nth row of the lanes is, below their axis of 20 pixels.
  async function rowAt(page, place) {
    await page.locator("#lanes").scrollIntoViewIfNeeded();
    const box = await laneBox(page);
    return { x: box.x + box.width / 2, y: box.y + 20 + 17 * (place + 0.5) };
  }

  for (const sample of SAMPLES) {
    test(`the sample ${sample} opens without an error, a warning or a request, and leaves no canvas blank`, on(sample, async (page) => {
      const colours = await coloursOf(page, "canvas");
      assert.ok(colours.length >= 4, `${colours.length} canvases`);
      assert.ok(colours.every((count) => count > 3), `colours: ${colours}`);
    }));
  }

  test("there is a chart for every quantity of a run", on("run", async (page) => {
    for (const id of ["fleet", "rate", "stages", "ttft", "tbt", "e2e", "kv_share", "busy_share", "tokens", "cost"]) {
      assert.equal(await page.locator(`#chart-${id} canvas`).count(), 1, id);
    }
  }));

  for (const [sample, count] of [["run", 24], ["oneInstance", 1], ["largest", 20000]]) {
    test(`the sample ${sample} has a lane for each of its ${count} instances`, on(sample, async (page) => {
      assert.equal(await page.locator("#lanes").getAttribute("data-lanes"), String(count));
    }));
  }

  test("a click on a lane shows the life of its instance and the decision that started it", on("run", async (page) => {
    const at = await rowAt(page, 10); // server 3 is row 9, its first instance row 10
    await page.mouse.click(at.x, at.y);
    const panel = page.locator("#lane-panel");
    await panel.locator("[data-decision]").first().waitFor();
    assert.equal(await panel.getAttribute("data-instance"), "6");
    const text = await panel.innerText();
    for (const expected of ["instance 6", "starting from", "draining from", "Started by", "queue per instance above its target", "queue[60]=", "Drained by"]) assert.ok(text.includes(expected), `${expected} in ${text}`);
  }));

  test("the panel leads to the decision's row, and the row back to the lane", on("run", async (page) => {
    const at = await rowAt(page, 10);
    await page.mouse.click(at.x, at.y);
    await page.locator("#lane-panel [data-decision]").first().click();
    const row = page.locator("#decisions-table tr.highlight");
    assert.match(await row.innerText(), /started instance_6/);
    assert.ok(await row.evaluate((line) => document.activeElement === line), "the row has the focus");
    await page.locator('#decisions-table [data-lane="10"]').first().click();
    assert.equal(await page.locator("#lanes").getAttribute("data-selected"), "10");
    assert.equal(await page.locator("#lane-panel").getAttribute("data-instance"), "10");
  }));

  test("a filtered-out decision is still found from the lanes, and a filtered-out lane from the decisions", on("run", async (page) => {
    await page.locator("#lifecycle .filters input").fill("instance 23");
    assert.equal(await page.locator("#lanes").getAttribute("data-lanes"), "1");
    await page.locator('#decisions-table [data-lane="6"]').first().click();
    assert.equal(await page.locator("#lanes").getAttribute("data-lanes"), "24");
    await page.locator("#decisions-table input").fill("no such decision");
    assert.equal(await page.locator("#decisions-table tbody tr").count(), 0);
    await page.locator("#lane-panel [data-decision]").first().click();
    assert.equal(await page.locator("#decisions-table tr.highlight").count(), 1);
  }));

  test("lanes without a decision say what else started them", on("run", async (page) => {
    const first = await rowAt(page, 1);
    await page.mouse.click(first.x, first.y);
    assert.match(await page.locator("#lane-panel").innerText(), /there from the start/);
    const scripted = await rowAt(page, 11); // instance 7
    await page.mouse.click(scripted.x, scripted.y);
    assert.match(await page.locator("#lane-panel").innerText(), /action 1 of the scenario's script/);
    await page.locator("#lane-panel [data-action]").click();
    assert.equal(await page.locator("#actions-table tr.highlight").count(), 1);
  }));

  test("a drag over one chart zooms all charts and the lanes, and the button shows the whole run again", on("run", async (page) => {
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
    for (const [from, to] of windows) assert.ok(Math.abs(from - 150) < 3 && Math.abs(to - 300) < 3, `${from} to ${to}`);
    await page.locator("#reset-zoom").click();
    await settled(page);
    assert.deepEqual(await windowsOf(page), before);
    assert.ok(await page.locator("#reset-zoom").isDisabled());
  }));

  test("a drag over the lanes zooms the charts, and a double click shows the whole run again", on("run", async (page) => {
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
  }));

  test("a shift-drag pans, and ctrl with the wheel zooms around the pointer", on("run", async (page) => {
    const plot = await page.locator("#chart-fleet .u-over").boundingBox();
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
  }));

  test("the pointer over one chart tells the values of that moment in all of them", on("run", async (page) => {
    const values = () => page.locator(".legend output").allInnerTexts();
    const peaks = await values();
    const plot = await page.locator("#chart-fleet .u-over").boundingBox();
    await page.mouse.move(plot.x + plot.width * 0.1, plot.y + 60);
    await settled(page);
    assert.match(await page.locator(".when").innerText(), /^at (1:00|59|0:59|60)/);
    assert.notDeepEqual(await values(), peaks);
    const tip = await page.locator("#chart-fleet .tip").innerText();
    assert.match(tip, /active \d/);
    assert.match(tip, /offered load [\d.]+\/s/);
    assert.ok(await page.locator(".lane-cursor").isVisible());
  }));

  test("charts answer to the keyboard", on("run", async (page) => {
    await page.locator("#chart-fleet .plot").focus();
    await page.keyboard.press("+");
    await page.keyboard.press("ArrowRight");
    await settled(page);
    const [[from, to]] = await windowsOf(page);
    assert.ok(to - from < 400 && from + to > 620, `${from} to ${to}`);
    await page.keyboard.press("0");
    await settled(page);
    assert.deepEqual((await windowsOf(page))[0], [0, 600]);
  }));

  test("lanes answer to the keyboard", on("run", async (page) => {
    await page.locator("#lanes").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    assert.equal(await page.locator("#lanes").getAttribute("data-selected"), "1");
    await page.keyboard.press("ArrowUp");
    assert.equal(await page.locator("#lane-panel").getAttribute("data-instance"), "0");
    await page.keyboard.press("PageDown");
    assert.equal(await page.locator("#lanes").getAttribute("data-selected"), "20");
    assert.ok(await page.locator("#lanes").evaluate((lanes) => lanes.scrollTop > 0), "scrolled to the chosen lane");
  }));

  test("the first stop of the tab key leads past the head", on("run", async (page) => {
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  }));

  test("lanes are filtered by pool, by fate and by text, and ordered by the length of drains", on("run", async (page) => {
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
    assert.equal(await page.locator("#lane-panel").getAttribute("data-instance"), "12", "its drain never ended");
  }));

  test("a switch of the legend takes its series off the chart", on("run", async (page) => {
    const picture = () => page.locator("#chart-fleet canvas").evaluate((canvas) => canvas.toDataURL());
    const before = await picture();
    const button = page.locator('#chart-fleet [data-key="active"]');
    await button.click();
    await settled(page);
    assert.equal(await button.getAttribute("aria-pressed"), "false");
    assert.notEqual(await picture(), before);
  }));

  test("a pool can be looked at by itself", on("run", async (page) => {
    const active = () => page.locator('#chart-fleet [data-key="active"] output').innerText();
    const all = await active();
    await page.locator(".time-bar").getByLabel("pool").selectOption("0");
    await settled(page);
    assert.notEqual(await active(), all);
    assert.equal(await page.locator('#chart-kv_share [data-key="pool-1"]').getAttribute("aria-pressed"), "false");
  }));

  test("tables sort both ways, filter, and keep the page small", on("largest", async (page) => {
    const table = page.locator("#decisions-table");
    assert.equal(await table.locator("tbody tr").count(), 100);
    await table.getByRole("button", { name: /^Show/ }).click();
    assert.equal(await table.locator("tbody tr").count(), 500);
    const times = async () => (await table.locator("tbody tr td:first-child").allInnerTexts()).map(Number);
    await table.locator('th[data-key="n"] button').click();
    const rising = await times();
    assert.deepEqual(rising, [...rising].sort((a, b) => a - b));
    await table.locator('th[data-key="n"] button').click();
    assert.ok((await times())[0] > rising[0]);
    assert.equal(await table.locator('th[data-key="n"]').getAttribute("aria-sort"), "descending");
    await table.getByLabel("policy").selectOption("=queue_depth");
    assert.ok(!(await table.locator("tbody").innerText()).includes("hpa"));
    await table.getByLabel("Filter by text").fill("nothing says this");
    assert.equal(await table.locator("tbody tr").count(), 0);
  }));

  test("slowest requests are ordered as asked for, and lead to the lanes of their instances", on("run", async (page) => {
    const first = () => page.locator(".waterfall .who b").first().innerText();
    const [byE2e, byTtft] = ["e2e_s", "ttft_s"].map((key) => [...samples.run().slowest].sort((a, b) => b[key] - a[key])[0]);
    assert.equal(await first(), `request ${byE2e.id}`);
    await page.locator("#slowest").getByLabel("slowest by").selectOption("ttft_s");
    assert.equal(await first(), `request ${byTtft.id}`);
    await page.locator(".waterfall .where button").first().click();
    assert.equal(await page.locator("#lanes").getAttribute("data-selected"), String(byTtft.prefill.instance));
  }));

  for (const sample of ["run", "compare"]) {
    test(`the sample ${sample} is dark where the system is, and its charts stay drawn when that changes`, on(sample, async (page) => {
      const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const dark = await background();
      assert.ok((await coloursOf(page, "canvas")).every((count) => count > 3));
      await page.emulateMedia({ colorScheme: "light" });
      await settled(page);
      assert.notEqual(await background(), dark);
      assert.ok((await coloursOf(page, "canvas")).every((count) => count > 3));
      await page.locator("#theme").click();
      assert.equal(await background(), dark);
    }, { colorScheme: "dark" }));
  }

  for (const colorScheme of ["light", "dark"]) {
    test(`every colour of data stands out from the ${colorScheme} background, and text more so`, on("run", async (page) => {
      const contrasts = await page.evaluate(() => {
        const style = getComputedStyle(document.documentElement);
        const luminance = (name) => {
          const hex = style.getPropertyValue(`--${name}`).trim();
          const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const contrast = (a, b) => { const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y); return (high + 0.05) / (low + 0.05); };
        const data = ["starting", "active", "draining", "idle", "histogram", "p50", "p90", "p99", "stage-decoding", "stage-transferring", "stage-prefilling", "stage-waiting",
          "wait-scheduler", "wait-instance", "wait-prefill", "wait-transfer", "wait-decode", ...Array.from({ length: 8 }, (_, index) => `many-${index}`)];
        const text = ["ink", "muted", "link", "good", "bad", "limit"];
        return [...data.map((name) => [name, contrast(name, "bg"), 3]), ...text.map((name) => [name, contrast(name, "bg"), 4.5])];
      });
      for (const [name, found, least] of contrasts) assert.ok(found >= least, `${name}: ${found.toFixed(2)} is below ${least}`);
    }, { colorScheme }));
  }

  for (const sample of ["run", "compare", "hostile", "nothingCompleted", "largest"]) {
    test(`the sample ${sample} needs no sideways scrolling on a phone`, on(sample, async (page) => {
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 400);
      assert.ok((await coloursOf(page, "canvas")).every((count) => count > 3));
    }, { width: 400, height: 800 }));
  }

  test("on paper the page is light, without controls, with charts that fit, and as before afterwards", on("run", async (page) => {
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await settled(page);
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
    for (const control of [".time-bar", ".filters >> nth=0", "#theme"]) assert.ok(await page.locator(control).isHidden(), control);
    assert.ok((await coloursOf(page, "canvas")).every((count) => count > 3));
    const widths = await page.locator("canvas").evaluateAll((all) => all.map((canvas) => canvas.getBoundingClientRect().right));
    assert.ok(Math.max(...widths) <= 1045, `a body of 720 px in the middle of 1360: ${Math.max(...widths)}`);
    const paper = await page.pdf({ format: "A4" });
    assert.ok(paper.length > 50_000);
    await page.emulateMedia({ media: "screen", colorScheme: "dark" });
    await settled(page);
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  }, { colorScheme: "dark" }));

  test("names and reasons are shown as they are written, whatever they hold", on("hostile", async (page) => {
    assert.equal(await page.locator("h1").innerText(), samples.HOSTILE);
    assert.equal(await page.title(), samples.HOSTILE);
    assert.equal(await page.locator("img").count(), 0);
    assert.ok((await page.locator("#decisions-table tbody tr").first().innerText()).includes(samples.HOSTILE));
    const at = await rowAt(page, 10);
    await page.mouse.click(at.x, at.y);
    assert.ok((await page.locator("#lane-panel").innerText()).includes(samples.HOSTILE));
  }));

  test("the largest file opens with less than three seconds of work", on("largest", async (page) => {
    const seconds = await workOf(page);
    assert.ok(seconds < 3, `took ${seconds} s`);
  }));

  test("twenty thousand lanes scroll and zoom without being drawn all at once", on("largest", async (page) => {
    const before = await workOf(page);
    await page.locator("#lanes").evaluate((lanes) => { lanes.scrollTop = lanes.scrollHeight / 2; });
    await page.locator("#lanes").press("+");
    await settled(page);
    const work = (await workOf(page)) - before;
    assert.ok(work < 0.5, `${work} s of work`);
    assert.ok(await page.locator("#lanes canvas").evaluate((canvas) => canvas.height < 2000));
    assert.match(await page.locator("#lanes-summary").innerText(), /20,000 of 31,000/);
  }));

  test("a run in which nothing completed says so where latencies would stand", on("nothingCompleted", async (page) => {
    for (const [place, words] of [["#chart-ttft", "No request completed"], ["#latencies", "No request completed"], ["#slowest", "none can be shown"], ["#distributions", "Nothing completed"], [".incomplete", "stopped at"], [".slo", "✗"]]) {
      assert.ok((await page.locator(place).innerText()).includes(words), `${place}: ${words}`);
    }
  }));

  test("a run without rows of requests, SLO or ScalingManager says what is not there", on("summaryOnly", async (page) => {
    for (const [place, words] of [["#chart-rate", "kept no rows"], ["#chart-ttft", "kept no rows"], ["#slo", "sets no"], ["#decisions", "No autoscaling policy"], ["#log", "Nothing scaled"], ["#events", "Nothing was refused"]]) {
      assert.ok((await page.locator(place).innerText()).includes(words), `${place}: ${words}`);
    }
    assert.equal(await page.locator("#chart-fleet canvas").count(), 1);
  }));

  test("contenders are ranked, sorted by any column, and marked as keeping the SLO or not", on("compare", async (page) => {
    const { rows } = samples.compare();
    const labels = () => page.locator("#ranking-table tbody .contender").allInnerTexts();
    assert.deepEqual(await labels(), rows.map((row) => row.label));
    await page.locator("#ranking-table").getByRole("button", { name: "cost" }).click();
    assert.deepEqual(await labels(), [...rows].sort((a, b) => a.values.usd.mean - b.values.usd.mean).map((row) => row.label));
    assert.equal(await page.locator("#ranking-table .mark.met").count(), rows.filter((row) => row.keeps_slo).length);
    assert.match(await page.locator("#ranking-table tbody").innerText(), /± \$0\.\d\d/);
  }));

  test("the Pareto picture has a point for every contender, hollow where the SLO is missed, and a front", on("compare", async (page) => {
    const { rows } = samples.compare();
    assert.equal(await page.locator(".pareto circle").count(), rows.length);
    assert.equal(await page.locator(".pareto circle.missed").count(), rows.filter((row) => !row.keeps_slo).length);
    const front = await page.locator(".pareto .front").getAttribute("points");
    assert.equal(front.split(" ").length, 6, "cheaper is always worse in this sample");
  }));

  test("a contender switched off in one legend is off in every chart", on("compare", async (page) => {
    const button = page.locator('#chart-fleet [data-key="kpa 7"]');
    await button.click();
    const pressed = await page.locator('[data-key="kpa 7"]').evaluateAll((all) => all.map((one) => one.getAttribute("aria-pressed")));
    assert.deepEqual([...new Set(pressed)], ["false"]);
    assert.equal(pressed.length, 5, "fleet, paid, waiting, TTFT, TBT");
  }));

  test("charts of runs of different lengths begin and end at the same time", on("compare", async (page) => {
    const windows = await windowsOf(page);
    assert.equal(windows.length, 6);
    assert.equal(new Set(windows.map(String)).size, 1, `windows: ${windows.join("; ")}`);
  }));

  test("a comparison says which contenders were left out, and why", on("compare", async (page) => {
    assert.match(await page.locator(".left-out").innerText(), /oracle was left out: it needs a trace/);
  }));

  const real = (process.env.EBBFLOW_REPORT_DIR ?? "").split(":").filter(Boolean);
  const reports = real.flatMap((directory) => readdirSync(directory).filter((name) => name.endsWith(".html")).map((name) => [directory, name]));

  for (const [directory, name] of reports) {
    test(`the real report ${name} opens without an error, fits a phone, and has a lane for each instance of its run`, async () => {
      const { page, troubles, close } = await open(browser, join(directory, name));
      assert.ok((await coloursOf(page, "canvas")).every((count) => count > 3));
      const lives = join(directory, "lifecycle");
      if (existsSync(lives) && (await page.locator("#lanes").count()) > 0) {
        const rows = readdirSync(lives).filter((file) => /^\d+\.csv$/.test(file)).map((file) => readFileSync(join(lives, file), "utf8").trim().split("\n").length - 1).reduce((sum, count) => sum + count, 0);
        assert.equal(Number(await page.locator("#lanes").getAttribute("data-lanes")), Math.min(rows, Number(process.env.EBBFLOW_MOST_LANES ?? 10_000)));
        await page.locator("#lanes").focus();
        await page.keyboard.press("ArrowDown");
        assert.match(await page.locator("#lane-panel").innerText(), /Started by/);
      }
      await page.setViewportSize({ width: 400, height: 800 });
      await settled(page);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 400);
      assert.deepEqual(troubles, []);
      await close();
    });
  }
});
