// npm test: check, then every test in Node, then the same files in Chromium. The last line has the counts of all.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { algorithmTable } from './algorithmTable.mjs';
import { exitWithError, messageOf, parseScriptArgs, prepare, root } from './workspace.mjs';

/** @typedef {import('./testFiles.mjs').TestRecord} TestRecord */

const text = /** @type {const} */ ({ type: 'string' });
const flag = /** @type {const} */ ({ type: 'boolean', default: false });
const { values, positionals: filters } = parseScriptArgs(
  'test',
  '[FILTER...] --browser --node --seed N --runs N --path P',
  { browser: flag, node: flag, seed: text, runs: text, path: text },
);
prepare();
const isPart = filters.length > 0 || values.path !== undefined;
const both = !values.node && !values.browser;
/** @type {import('./testFiles.mjs').Run} */
const run = {
  filters,
  ...(values.seed === undefined ? {} : { seed: integer('seed') }),
  ...(values.runs === undefined ? {} : { runs: integer('runs') }),
  ...(values.path === undefined ? {} : { path: values.path }),
};

/** @type {TestRecord[]} */
const records = [];
if (both && !isPart) {
  const { check } = await import('./checks.mjs');
  records.push(...(await check()));
}
if (both || values.node) records.push(...(await inNode()));
if (both || values.browser) records.push(...(await inBrowser()));
if (records.length === 0)
  records.push({
    where: 'test',
    file: 'test',
    name: `any case matches ${filters.join(' ')}`,
    state: 'failed',
    reason: 'no case matches',
  });
report();

/** @param {'seed' | 'runs'} name */
function integer(name) {
  const value = Number(values[name]);
  return Number.isInteger(value) ? value : exitWithError(`test: --${name} must be an integer, got ${values[name]}`);
}

async function inNode() {
  const child = fork(join(root, 'scripts', 'testInNode.mjs'), [JSON.stringify(run)], { cwd: root });
  /** @typedef {import('../test/harness.ts').CaseRecord} CaseRecord */
  /** @type {CaseRecord[]} */
  let finished = [];
  let done = false;
  child.on('message', (/** @type {{ records?: CaseRecord[], done?: CaseRecord[] }} */ message) => {
    if (message.records) finished.push(...message.records);
    if (message.done) [finished, done] = [message.done, true];
  });
  const ended = await new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  if (!done || ended !== 0) {
    const last = finished.at(-1)?.file ?? 'none';
    const reason = `it exited with ${ended}; the last finished file is ${last}`;
    finished.push({
      file: 'scripts/testInNode.mjs',
      name: 'the process of the tests ends by itself',
      state: 'failed',
      reason,
    });
  }
  return finished.map((record) => ({ ...record, where: 'node' }));
}

async function inBrowser() {
  const { testInBrowser } = await import('./testInBrowser.mjs');
  /** @param {string} name */
  const onAdapter = (name) => void process.stdout.write(`\nChromium on ${name}\n`);
  /** @type {import('../test/harness.ts').CaseRecord[]} */
  const finished = [];
  /** @type {import('../test/harness.ts').OnFile} */
  const onFile = (file, cases) => {
    finished.push(...cases);
    const passed = cases.filter(({ state }) => state === 'passed').length;
    process.stdout.write(` ${file}  (${passed} / ${cases.length})\n`);
  };
  try {
    return (await testInBrowser(run, onAdapter, onFile)).map((record) => ({ ...record, where: 'browser' }));
  } catch (reason) {
    const failure = {
      file: 'scripts/testInBrowser.mjs',
      name: 'the page of the tests ends by itself',
      state: 'failed',
      reason: messageOf(reason),
    };
    /** @type {Omit<TestRecord, 'where'>[]} */
    const all = [...finished, failure];
    return all.map((record) => ({ ...record, where: 'browser' }));
  }
}

function report() {
  /** @param {string} state */
  const of = (state) => records.filter((record) => record.state === state);
  const lines = [''];
  const close = sortedDown('worst', 0.5);
  if (close.length > 0) lines.push('Laws whose largest error is over half of its tolerance:');
  for (const { worst, where, name } of close.slice(0, 10)) lines.push(`  ${worst?.toFixed(2)}  ${where}  ${name}`);
  lines.push(...algorithmTable(records));
  const slow = sortedDown('milliseconds', 10_000);
  if (slow.length > 0) lines.push('Cases over 10 s:');
  for (const { milliseconds, where, name } of slow.slice(0, 10))
    lines.push(`  ${Math.round((milliseconds ?? 0) / 1000)} s  ${where}  ${name}`);
  for (const { where, file, name, reason } of of('skipped'))
    lines.push(`skipped  ${where}  ${file}: ${name} (${reason})`);
  const failed = of('failed');
  for (const { where, file, name, reason } of failed) {
    lines.push(`FAILED  ${where}  ${file}: ${name}`, ...`${reason}`.split('\n').map((line) => `    ${line}`));
  }
  const skipped = of('skipped').length;
  // For readers of the last lines only.
  if (failed.length > 1) lines.push('', ...failed.slice(0, 20).map(inOneLine));
  lines.push('', `${of('passed').length} passed, ${failed.length} failed${skipped ? `, ${skipped} skipped` : ''}`);
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

/** Records whose figure is over a limit, the largest first. @param {'worst' | 'milliseconds'} figure @param {number} limit */
function sortedDown(figure, limit) {
  const value = (/** @type {TestRecord} */ record) => record[figure] ?? 0;
  return records.filter((record) => value(record) > limit).sort((a, b) => value(b) - value(a));
}

/** A failure in one line: file, title, message. A law's report has the title in its first line. @param {TestRecord} record */
function inOneLine({ where, file, name, reason }) {
  const [first = '', second = ''] = `${reason}`.split('\n');
  const sentence = first.startsWith('LawError') ? second.trim() : first;
  return `${where} ${file.split('/').at(-1)}: ${shortened(name, 50)}: ${shortened(sentence, 70)}`;
}

/** @param {string} text @param {number} most */
function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most / 2 - 1)}..${text.slice(1 - most / 2)}` : text;
}
