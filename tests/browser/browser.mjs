// A browser for the tests, where there is one, and what they ask of a page.

import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";
const SWITCHES = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// A browser remarks that the tests read canvases back. Pages do not.
const OWN_DOING = "willReadFrequently";

// The driver, or why there is none.
export async function findBrowser() {
  if (!existsSync(EXECUTABLE))
    return { missing: `no browser at ${EXECUTABLE}: install Debian's chromium, or name one in CHROMIUM` };
  try {
    const { chromium } = await import("playwright-core");
    return { launch: () => chromium.launch({ executablePath: EXECUTABLE, args: SWITCHES }) };
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    return { missing: "playwright-core is not installed: run `npm ci` in tests/browser" };
  }
}

// Opens a file in a page of its own, which notes every error, and every request for anything else than the file.
export async function open(browser, file, { width = 1360, height = 1000, colorScheme = "light" } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  sessions.set(page, session);
  const url = pathToFileURL(file).href;
  const troubles = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !message.text().includes(OWN_DOING))
      troubles.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => troubles.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (request.url() !== url && !request.url().startsWith("data:"))
      troubles.push(`request: ${request.url()}`);
  });
  await page.goto(url);
  await page.locator("html[data-ready]").waitFor({ state: "attached", timeout: 20_000 });
  await settled(page);
  return { page, troubles, close: () => context.close() };
}

const sessions = new WeakMap();

// Processor time that a page has taken, in seconds: unlike a clock's it is not longer on a busy machine.
export async function workOf(page) {
  const { metrics } = await sessions.get(page).send("Performance.getMetrics");
  return metrics.find((metric) => metric.name === "TaskDuration").value;
}

// Two frames later everything that was asked to draw has drawn.
export const settled = (page) =>
  page.evaluate(
    () =>
      new Promise((done) => {
        requestAnimationFrame(() => requestAnimationFrame(done));
      }),
  );

// For each canvas within a selection: how many colours it shows. A blank one shows one.
export const coloursOf = (page, selector) =>
  page.locator(selector).evaluateAll((canvases) =>
    canvases.map((canvas) => {
      const pixels = new Uint32Array(
        canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer,
      );
      return new Set(pixels).size;
    }),
  );

// The stretches of time that the charts and the lanes say they show.
export const windowsOf = (page) =>
  page
    .locator("[data-from]")
    .evaluateAll((all) => all.map((one) => [Number(one.dataset.from), Number(one.dataset.to)]));

// Where a chart is, once it is in sight.
export async function plotOf(page, id) {
  const plot = page.locator(`#chart-${id} .u-over`);
  await plot.scrollIntoViewIfNeeded();
  return plot.boundingBox();
}

// Where the middle of the nth row of the lanes is, below their axis of 20 pixels.
export async function rowAt(page, place) {
  await page.locator("#lanes").scrollIntoViewIfNeeded();
  const box = await page.locator("#lanes").boundingBox();
  return { x: box.x + box.width / 2, y: box.y + 20 + 17 * (place + 0.5) };
}
