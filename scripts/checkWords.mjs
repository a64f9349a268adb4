// Plain English: phrases that no comment, string literal or document may have, each with what to write instead.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { proseOf } from './prose.mjs';
import { root } from './workspace.mjs';

/**
 * Patterns, which match in any case and across line breaks, and what to write instead.
 * @type {ReadonlyArray<readonly [pattern: RegExp, instead: string]>}
 */
const refused = [
  [/\bcame\b/, 'got (in an error: `expected X, got Y`)'],
  [/\banew\b/, 'again, or a verb with re- (recreate, recompute)'],
  [/\b(?:has|have|had) not\b(?! (?:been|yet|\w+(?:ed|en|n|t)\b))/, 'lacks, or does not have'],
  [/\b(?:is|are|was|were) to be\b/, 'must be, or will be'],
  [/\b(?:go|goes|going|went) on\b/, 'continue, resume, or happen'],
  [/\ball that\b/, 'everything that, or all the'],
  [/\bbut for\b/, 'except'],
  [/\b(?:stands(?! for\b)|stand (?:above|below|beside|on|there)|stood)\b/, 'is'],
  [/\blies?\b/, 'is, or is stored'],
  [/\bfrom (?:\d+|here|now|one|then|there|zero) on\b/, 'a positive integer, at least N, or afterwards'],
  [/\bwhich \w+\?/, 'X is required (and the option that gives it)'],
  [/\bwhole numbers?\b/, 'integer'],
  [/\b(?:tells|told)\b/, 'reports, says, or distinguishes'],
  [/\bnobody's\b/, 'ignored, unused or private'],
  [/\bof one's own\b/, 'custom, or your own'],
  [/\bthe one to believe\b/, 'what to report'],
  [/\bhonest(?:ly)?\b/, 'say what is measured'],
  [/\boptimizt|\banalyzis\b|\w+izms?\b/, 'the word ends in -ist, -is or -ism'],
  [/\bgrey|colour|\bcentre|\bmetres?\b|\bfibre/, 'American spelling: gray, color, center, meter, fiber'],
  [/behaviour|favour|neighbour|honour|labour|rigour\b/, 'American spelling: -or'],
  [/\b(?:label|cancel|model|travel|signal|channel)l(?:ed|ing)\b/, 'American spelling: one l'],
  [/\b(?:licence|defence|judgement|artefact|catalogue|programme(?!r)|whilst|amongst)/, 'American spelling'],
  [
    /(?:optim|normal|special|initial|recogn|synchron|final|summar|general|minim|maxim|quant|parallel|serial|organ|util|visual|real|emphas|standard|custom|random|vector|token|factor|discret|regular|memo|local|categor)is(?:e[drs]?|ing|ation|able)\b|\banalys(?:e[drs]?|ing)\b/,
    'American spelling: -ize, -yze',
  ],
];

/** Each pattern with its spaces stretched over line breaks. */
const patterns = refused.map(([{ source }, instead]) => ({
  pattern: new RegExp(source.replaceAll(' ', '\\s+'), 'gi'),
  instead,
}));

/**
 * Refused phrases in the prose of one file, in the order of their lines.
 * @param {string} path decides by its ending what counts as prose
 * @param {string} text
 * @returns {string[]}
 */
export function refusedWords(path, text) {
  const prose = proseOf(path, text);
  if (prose === null) return [];
  /** @type {{ at: number, problem: string }[]} */
  const problems = [];
  for (const { pattern, instead } of patterns) {
    for (const { 0: found, index } of prose.matchAll(pattern)) {
      const line = prose.slice(0, index).split('\n').length;
      problems.push({ at: index, problem: `${path}:${line}: \`${found.replace(/\s+/g, ' ')}\`; write ${instead}` });
    }
  }
  return problems.sort((a, b) => a.at - b.at).map(({ problem }) => problem);
}

/** Refused phrases in every file of the repository. */
export async function wordsToReplace() {
  const listed = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  const { stdout } = spawnSync('git', listed, { cwd: root, encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter((path) => path !== '')
    .flatMap((path) => refusedWords(path, read(path)));
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return ''; // deleted, but not yet committed
  }
}
