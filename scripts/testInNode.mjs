// Runs tests in a child process of scripts/test.mjs, so that a crash in a driver becomes a failure.
import { pathToFileURL } from 'node:url';
import { bundleForNode, exitIfPrinted } from './bundle.mjs';
import { countCalls } from './countCalls.mjs';
import { testEntry, testFiles } from './testFiles.mjs';

Object.assign(globalThis, { UVU_DEFER: true }); // the harness runs suites, not uvu
process.setSourceMapsEnabled(true);
/** @type {import('./testFiles.mjs').Run} */
const options = JSON.parse(process.argv[2] ?? '');
const entry = testEntry(testFiles(options.filters, 'node'));
process.argv = process.argv.slice(0, 2);
const bundle = await bundleForNode(entry, 'tests', [countCalls]).catch(exitIfPrinted);
/** @type {typeof import('../test/harness.ts') & { files: import('../test/harness.ts').TestFile[] }} */
const { files, runTests } = await import(pathToFileURL(bundle).href);
const all = await runTests(
  files,
  options,
  (_file, records) => void process.send?.({ records }),
  (adapter) => void process.stdout.write(`\nNode on ${adapter}\n`),
);
// Disconnecting earlier would cut the message off.
process.send?.({ done: all }, () => process.disconnect());
