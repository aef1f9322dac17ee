// The report in a real browser: that it draws, that its parts are linked, that it stays readable everywhere.
//
// Runs over made-up samples, and over real reports where EBBFLOW_REPORT_DIR names directories with some
// (separated by ":"). Without a browser or its driver everything is skipped, with one line that says why.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { writeSamples } from "./assemble.mjs";
import { findBrowser, open } from "./browser.mjs";
import opening from "./parts/opening.mjs";
import lanes from "./parts/lanes.mjs";
import time from "./parts/time.mjs";
import tables from "./parts/tables.mjs";
import looks from "./parts/looks.mjs";
import compare from "./parts/compare.mjs";
import real from "./parts/real.mjs";

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

  // Runs what a test does with the page of a sample, or of a file, and then asks whether the page complained.
  const on = (page, act, how) => async () => {
    const opened = await open(browser, files[page] ?? page, how);
    try {
      await act(opened.page);
      assert.deepEqual(opened.troubles, []);
    } finally {
      await opened.close();
    }
  };

  for (const part of [opening, lanes, time, tables, looks, compare, real]) part(on);
});
