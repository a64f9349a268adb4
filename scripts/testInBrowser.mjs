// Runs the test files in a page of a real Chromium; what they found comes back as JSON.
import { bundleForBrowser } from './bundle.mjs';
import { launchChromium } from './chromium.mjs';
import { countCalls } from './countCalls.mjs';
import { serve } from './serve.mjs';
import { testEntry, testFiles } from './testFiles.mjs';

/** Gives the records of all files; `onAdapter` and `onFile` hear of progress. */
export async function testInBrowser(options, onAdapter, onFile) {
  const entry = testEntry(testFiles(options.words, 'browser'));
  entry.contents +=
    'Object.assign(globalThis, { mien: { files, runTests } });\nimport { runTests } from "./test/harness.ts";\n';
  const bundle = await bundleForBrowser(entry, {
    outdir: undefined,
    outfile: 'tests.js',
    plugins: [countCalls],
  });
  const page =
    '<!doctype html><meta charset="utf-8"><title>Mien tests</title><script type="module" src="tests.js"></script>';
  const site = await serve(
    new Map([
      ['', page],
      ['favicon.ico', ''],
      ['tests.js', [...bundle.values()][0]],
    ]),
  );
  const browser = await launchChromium();
  try {
    const tab = await browser.newPage();
    tab.setDefaultTimeout(0);
    await tab.addInitScript(() => Object.assign(globalThis, { UVU_DEFER: true }));
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
      const { files, runTests } = globalThis.mien;
      return runTests(files, wanted, globalThis.mienFile, globalThis.mienAdapter);
    }, options);
    return await Promise.race([run, crashed]);
  } finally {
    await browser.close();
    site.close();
  }
}
