// Pictures of a report for the documentation: `node screenshots.mjs REPORT.html FOLDER` writes overview.png (light)
// and lifecycle.png (dark, with a lane chosen that drained).

import { join, resolve } from "node:path";
import { findBrowser, open, settled } from "./browser.mjs";

const [report, folder = "."] = process.argv.slice(2);
const { launch, missing } = await findBrowser();
if (missing || !report) {
  console.error(missing ?? "usage: node screenshots.mjs REPORT.html [FOLDER]");
  process.exit(1);
}
const browser = await launch();

const light = await open(browser, resolve(report), { width: 1280, height: 860 });
await light.page.screenshot({ path: join(folder, "overview.png") });
await light.close();

const dark = await open(browser, resolve(report), { width: 1280, height: 640, colorScheme: "dark" });
await dark.page.locator("#lifecycle").getByLabel("which").selectOption("drained");
await dark.page.locator("#lanes").focus();
await dark.page.keyboard.press("ArrowDown");
await dark.page.locator("#lifecycle").getByLabel("which").selectOption("any");
await dark.page.evaluate(() => {
  document.activeElement.blur();
  document.querySelector("#lifecycle").scrollIntoView();
});
await settled(dark.page);
await dark.page.screenshot({ path: join(folder, "lifecycle.png") });
await dark.close();
await browser.close();
