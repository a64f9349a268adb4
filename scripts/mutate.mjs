// npm run mutate -- FILTER...: makes small faults in kernels and formulas, one at a time, and reports whether a law detects each.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, exitWithError, parseScriptArgs, prepare } from './workspace.mjs';

/** @typedef {import('./mutate/report.mjs').Result} Result */

const text = /** @type {const} */ ({ type: 'string' });
const flag = /** @type {const} */ ({ type: 'boolean', default: false });
const usage =
  '[FILTER...] --adapter NAME --sample N --seed S --seconds N --report FILE --resume --reuse --survivors --equivalents --skip TEXT --list';
const { values, positionals: filters } = parseScriptArgs('mutate', usage, {
  adapter: text,
  sample: text,
  seed: text,
  seconds: text,
  report: text,
  skip: text,
  reuse: flag,
  resume: flag,
  survivors: flag,
  equivalents: flag,
  list: flag,
});
prepare();
const { mutantsOf } = await import('./mutate/list.mjs');
const { campaign } = await import('./mutate/campaign.mjs');
const { reasonOf, staleRows } = await import('./mutate/equivalents.mjs');
const { sampled, summary } = await import('./mutate/report.mjs');

const stale = staleRows();
if (stale.length > 0) exitWithError(stale.join('\n'));
const log = join(cacheFolder(), 'mutation', 'log.jsonl');
/** @type {Map<string, Result>} */
const earlier = new Map(
  existsSync(log)
    ? readFileSync(log, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => [JSON.parse(line).id, JSON.parse(line)])
    : [],
);
let mutants = mutantsOf().filter(
  ({ place, id }) =>
    filters.length === 0 ||
    filters.some((filter) => place.toLowerCase().includes(filter.toLowerCase()) || id === filter),
);
if (values.survivors) mutants = mutants.filter(({ id }) => earlier.has(id) && !isSettled(earlier.get(id)));
if (values.sample) mutants = sampled(mutants, number('sample', 1), number('seed', 1));
if (mutants.length === 0) exitWithError(`mutate: no mutant matches ${filters.join(' ')}`);
/** @type {Result[]} */
const results = [];
if (values.list) list();
else await runCampaign();

function list() {
  for (const { id, place, line, kind, before, after } of mutants)
    process.stdout.write(`${id}  ${place}:${line}  ${kind}\n  - ${before}\n  + ${after}\n`);
}

async function runCampaign() {
  const started = Date.now();
  const run = [];
  for (const mutant of mutants) {
    const reason = reasonOf(mutant);
    const previous = values.resume ? earlier.get(mutant.id) : undefined;
    if (reason !== null && !values.equivalents) results.push({ mutant, state: 'equivalent', reason });
    else if (previous && isSettled(previous)) results.push({ ...previous, mutant });
    else run.push(mutant);
  }
  const options = {
    adapter: values.adapter ?? process.env.MIEN_ADAPTER,
    seconds: number('seconds', 60),
    family: values.sample !== undefined,
    skip: values.skip,
    reuse: values.reuse,
  };
  mkdirSync(join(cacheFolder(), 'mutation'), { recursive: true });
  const facts =
    run.length === 0 ? {} : await campaign(run, options, note, (line) => void process.stdout.write(`${line}\n`));
  const report = summary(results, { ...facts, seconds: Math.round((Date.now() - started) / 1000), filters });
  if (values.report) writeFileSync(values.report, `${JSON.stringify(report.json, null, 2)}\n`);
  process.stdout.write(report.text);
  process.exitCode = report.open > 0 ? 1 : 0;
}

/** @param {'sample' | 'seed' | 'seconds'} name @param {number} otherwise */
function number(name, otherwise) {
  const value = Number(values[name] ?? otherwise);
  return Number.isInteger(value) && value > 0
    ? value
    : exitWithError(`mutate: --${name} must be a positive integer, got ${values[name]}`);
}

/** Whether a result of an earlier campaign stays valid. @param {Result | undefined} result */
function isSettled(result) {
  return result?.state === 'killed' || result?.state === 'notCompiled';
}

/** @param {Result} result */
function note(result) {
  const { mutant, state, by, reason } = result;
  const known = reasonOf(mutant);
  if (known !== null && state === 'survived') Object.assign(result, { state: 'equivalent', reason: known });
  if (known !== null && state === 'killed') Object.assign(result, { state: 'refuted' });
  results.push(result);
  const { mutant: _, ...row } = {
    ...result,
    reason: `${reason ?? ''}`.split('\n').slice(0, 2).join(' ').slice(0, 300),
  };
  appendFileSync(log, `${JSON.stringify({ id: mutant.id, key: mutant.key, ...row })}\n`);
  const where = `${mutant.place}:${mutant.line}`;
  const about = state === 'killed' ? by : `${mutant.before}  ->  ${mutant.after}  ${reason ?? ''}`.split('\n')[0];
  process.stdout.write(
    `${`${results.length}/${mutants.length}`.padEnd(9)}${result.state.padEnd(12)}${mutant.kind.padEnd(11)}${where}  ${about}  (${result.milliseconds ?? 0} ms, ${result.tried ?? 0}/${result.of ?? 0})\n`,
  );
}
