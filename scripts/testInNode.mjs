// The process that runs tests in Node: its parent counts, so that a crash in a driver is a failure and not a silence.
import { pathToFileURL } from 'node:url';
import { bundleForNode, endIfPrinted } from './bundle.mjs';
import { countCalls } from './countCalls.mjs';
import { testEntry, testFiles } from './testFiles.mjs';

globalThis.UVU_DEFER = true; // the harness runs suites, not uvu
process.setSourceMapsEnabled(true);
const options = JSON.parse(process.argv[2]);
const entry = testEntry(testFiles(options.words, 'node'));
process.argv = process.argv.slice(0, 2);
const bundle = await bundleForNode(entry, 'tests', [countCalls]).catch(endIfPrinted);
const { files, runTests } = await import(pathToFileURL(bundle).href);
const all = await runTests(
  files,
  options,
  (_file, records) => process.send({ records }),
  (adapter) => process.stdout.write(`\nNode on ${adapter}\n`),
);
// Disconnecting before the message is out would cut it off.
process.send({ done: all }, () => process.disconnect());
