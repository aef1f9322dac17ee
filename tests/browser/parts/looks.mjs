// The page is readable in the dark, on a phone and on paper.

import assert from "node:assert/strict";
import { test } from "node:test";
import { coloursOf, settled } from "../browser.mjs";

export default function (on) {
  for (const sample of ["run", "compare"]) {
    test(
      `the sample ${sample} is dark where the system is, and its charts stay drawn when that changes`,
      on(
        sample,
        async (page) => {
          const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
          const dark = await background();
          assert.ok((await coloursOf(page, "canvas")).every((count) => count > 3));
          await page.emulateMedia({ colorScheme: "light" });
          await settled(page);
          assert.notEqual(await background(), dark);
          assert.ok((await coloursOf(page, "canvas")).every((count) => count > 3));
          await page.locator("#theme").click();
          assert.equal(await background(), dark);
        },
        { colorScheme: "dark" },
      ),
    );
  }

  for (const colorScheme of ["light", "dark"]) {
    test(
      `every colour of data stands out from the ${colorScheme} background, and text more so`,
      on(
        "run",
        async (page) => {
          const contrasts = await page.evaluate(() => {
            const style = getComputedStyle(document.documentElement);
            const luminance = (name) => {
              const hex = style.getPropertyValue(`--${name}`).trim();
              const [r, g, b] = [1, 3, 5]
                .map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
                .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
              return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const contrast = (a, b) => {
              const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
              return (high + 0.05) / (low + 0.05);
            };
            const data = [
              "starting",
              "active",
              "draining",
              "idle",
              "histogram",
              "p50",
              "p90",
              "p99",
              "stage-decoding",
              "stage-transferring",
              "stage-prefilling",
              "stage-waiting",
              "wait-scheduler",
              "wait-instance",
              "wait-prefill",
              "wait-transfer",
              "wait-decode",
              ...Array.from({ length: 8 }, (_, index) => `many-${index}`),
            ];
            const text = ["ink", "muted", "link", "good", "bad", "limit"];
            return [
              ...data.map((name) => [name, contrast(name, "bg"), 3]),
              ...text.map((name) => [name, contrast(name, "bg"), 4.5]),
            ];
          });
          for (const [name, found, least] of contrasts)
            assert.ok(found >= least, `${name}: ${found.toFixed(2)} is below ${least}`);
        },
        { colorScheme },
      ),
    );
  }

  for (const sample of ["run", "compare", "hostile", "nothingCompleted", "largest"]) {
    test(
      `the sample ${sample} needs no sideways scrolling on a phone`,
      on(
        sample,
        async (page) => {
          assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 400);
          assert.ok((await coloursOf(page, "canvas")).every((count) => count > 3));
        },
        { width: 400, height: 800 },
      ),
    );
  }

  test(
    "on paper the page is light, without controls, with charts that fit, and as before afterwards",
    on(
      "run",
      async (page) => {
        await page.emulateMedia({ media: "print", colorScheme: "dark" });
        await settled(page);
        assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
        for (const control of [".time-bar", ".filters >> nth=0", "#theme"])
          assert.ok(await page.locator(control).isHidden(), control);
        assert.ok((await coloursOf(page, "canvas")).every((count) => count > 3));
        const widths = await page
          .locator("canvas")
          .evaluateAll((all) => all.map((canvas) => canvas.getBoundingClientRect().right));
        assert.ok(
          Math.max(...widths) <= 1045,
          `a body of 720 px in the middle of 1360: ${Math.max(...widths)}`,
        );
        const paper = await page.pdf({ format: "A4" });
        assert.ok(paper.length > 50_000);
        await page.emulateMedia({ media: "screen", colorScheme: "dark" });
        await settled(page);
        assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
      },
      { colorScheme: "dark" },
    ),
  );
}
