// npm test: check, then every law in Node, then the same files in Chromium. The last line is the sum.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { algorithmTable } from './algorithmTable.mjs';
import { fail, prepare, root, typed } from './workspace.mjs';

const { values, positionals: words } = readOptions();
prepare();
const given = words.length > 0 || values.path !== undefined;
const both = !values.node && !values.browser;
const run = {
  words,
  ...(values.seed === undefined ? {} : { seed: number('seed') }),
  ...(values.runs === undefined ? {} : { runs: number('runs') }),
  ...(values.path === undefined ? {} : { path: values.path }),
};

const records = [];
if (both && !given) {
  const { check } = await import('./checks.mjs');
  records.push(...(await check()));
}
if (both || values.node) records.push(...(await inNode()));
if (both || values.browser) records.push(...(await inBrowser()));
if (records.length === 0)
  records.push({
    where: 'test',
    file: 'test',
    name: `any case matches ${words.join(' ')}`,
    state: 'failed',
    reason: 'none does',
  });
report();

function readOptions() {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  const options = { browser: flag, node: flag, seed: text, runs: text, path: text };
  try {
    return parseArgs({ args: typed(), options, allowPositionals: true });
  } catch (reason) {
    return fail(`test: ${reason.message}; options are [WORD...] --browser --node --seed N --runs N --path P`);
  }
}

function number(name) {
  const value = Number(values[name]);
  return Number.isInteger(value) ? value : fail(`test: --${name} expects an integer, not ${values[name]}`);
}

async function inNode() {
  const child = fork(join(root, 'scripts', 'testInNode.mjs'), [JSON.stringify(run)], { cwd: root });
  let found = [];
  let done = false;
  child.on('message', (message) => {
    if (message.records) found.push(...message.records);
    if (message.done) [found, done] = [message.done, true];
  });
  const ended = await new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  if (!done || ended !== 0) {
    const last = found.at(-1)?.file ?? 'none';
    const reason = `it ended with ${ended}; the last file that was finished: ${last}`;
    found.push({
      file: 'scripts/testInNode.mjs',
      name: 'the process of the tests ends by itself',
      state: 'failed',
      reason,
    });
  }
  return found.map((record) => ({ ...record, where: 'node' }));
}

async function inBrowser() {
  const { testInBrowser } = await import('./testInBrowser.mjs');
  const onAdapter = (name) => process.stdout.write(`\nChromium on ${name}\n`);
  const finished = [];
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
    };
    return [...finished, { ...failure, reason: `${reason.message ?? reason}` }].map((record) => ({
      ...record,
      where: 'browser',
    }));
  }
}

function report() {
  const of = (state) => records.filter((record) => record.state === state);
  const lines = [''];
  const close = records.filter(({ worst }) => worst > 0.5).sort((a, b) => b.worst - a.worst);
  if (close.length > 0) lines.push('Laws whose largest error is over half of its tolerance:');
  for (const { worst, where, name } of close.slice(0, 10)) lines.push(`  ${worst.toFixed(2)}  ${where}  ${name}`);
  lines.push(...algorithmTable(records));
  const slow = records
    .filter(({ milliseconds }) => milliseconds > 10_000)
    .sort((a, b) => b.milliseconds - a.milliseconds);
  if (slow.length > 0) lines.push('Cases over 10 s:');
  for (const { milliseconds, where, name } of slow.slice(0, 10))
    lines.push(`  ${Math.round(milliseconds / 1000)} s  ${where}  ${name}`);
  for (const { where, file, name, reason } of of('skipped'))
    lines.push(`skipped  ${where}  ${file}: ${name} (${reason})`);
  const failed = of('failed');
  for (const { where, file, name, reason } of failed) {
    lines.push(`FAILED  ${where}  ${file}: ${name}`, ...`${reason}`.split('\n').map((line) => `    ${line}`));
  }
  const skipped = of('skipped').length;
  // Where only the end of a log is at hand.
  if (failed.length > 1) lines.push('', ...failed.slice(0, 20).map(inOneLine));
  lines.push('', `${of('passed').length} passed, ${failed.length} failed${skipped ? `, ${skipped} skipped` : ''}`);
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

/** A failure as its place, its title and what went wrong, of which a law's report names the title first. */
function inOneLine({ where, file, name, reason }) {
  const [first = '', second = ''] = `${reason}`.split('\n');
  const sentence = first.startsWith('LawError') ? second.trim() : first;
  return `${where} ${file.split('/').at(-1)}: ${shortened(name, 50)}: ${shortened(sentence, 70)}`;
}

function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most / 2 - 1)}..${text.slice(1 - most / 2)}` : text;
}
