// Runs the test files in a page of Chromium; the records of the cases are returned as JSON.
import { bundleForBrowser } from './bundle.mjs';
import { launchChromium } from './chromium.mjs';
import { countCalls } from './countCalls.mjs';
import { serve } from './serve.mjs';
import { testEntry, testFiles } from './testFiles.mjs';

/**
 * Returns the records of all files.
 * @param {import('./testFiles.mjs').Run} options
 * @param {(adapter: string) => void} onAdapter called once, with the adapter's name
 * @param {import('../test/harness.ts').OnFile} onFile called after each file
 */
export async function testInBrowser(options, onAdapter, onFile) {
  const entry = testEntry(testFiles(options.filters, 'browser'));
  entry.contents +=
    'Object.assign(globalThis, { mien: { files, runTests } });\nimport { runTests } from "./test/harness.ts";\n';
  const bundle = await bundleForBrowser(entry, { plugins: [countCalls] });
  const page =
    '<!doctype html><meta charset="utf-8"><title>Mien tests</title><script type="module" src="tests.js"></script>';
  const site = await serve(
    new Map([
      ['', page],
      ['favicon.ico', ''],
      ['tests.js', [...bundle.values()].join('')],
    ]),
  );
  const browser = await launchChromium();
  try {
    const tab = await browser.newPage();
    tab.setDefaultTimeout(0);
    await tab.addInitScript(() => Object.assign(globalThis, { UVU_DEFER: true }));
    /** @type {Promise<never>} */
    const crashed = new Promise((_, reject) => {
      tab.on('crash', () => reject(new Error('the page crashed')));
      browser.on('disconnected', () => reject(new Error('Chromium ended')));
    });
    crashed.catch(() => {});
    tab.on('pageerror', (error) => process.stderr.write(`chromium: ${error.stack ?? error}\n`));
    await tab.exposeFunction('mienAdapter', onAdapter);
    await tab.exposeFunction('mienFile', onFile);
    await tab.goto(site.url);
    const run = tab.evaluate(async (wanted) => {
      /**
       * @typedef {typeof import('../test/harness.ts') & { files: import('../test/harness.ts').TestFile[] }} Tests
       * @typedef {{ mien: Tests, mienFile: typeof onFile, mienAdapter: typeof onAdapter }} Page
       */
      const { mien, mienFile, mienAdapter } = /** @type {Page} */ (/** @type {unknown} */ (globalThis));
      return mien.runTests(mien.files, wanted, mienFile, mienAdapter);
    }, options);
    return await Promise.race([run, crashed]);
  } finally {
    await browser.close();
    site.close();
  }
}
