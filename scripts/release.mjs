// npm run release -- VERSION [--dry-run]: checks, sets the version of every package, dates the CHANGELOG, commits and tags; --dry-run
// prints what would change. npm run release -- --check: packs the packages and checks what npm would receive. Nothing is published.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { datedChangelog, expectLaterVersion, withVersion } from './releaseSteps.mjs';
import { exitWithError, prepare, root, scriptArgs } from './workspace.mjs';

const manifests = ['packages/tensor', 'packages/nn', 'packages/fer', 'shaders'].map((path) => `${path}/package.json`);

const { values, positionals } = readOptions();
prepare();
const { checkPacked } = await import('./packages.mjs');
if (values.check) checkPacked();
else release(positionals[0] ?? '');

/** @param {string} version */
function release(version) {
  const changes = textsOf(version);
  if (values['dry-run']) {
    for (const [path, text] of changes) print(path, read(path), text);
    process.stdout.write(`commit: Release ${version}\ntag: v${version}\n`);
    return;
  }
  if (git('status', '--porcelain') !== '') exitWithError('release: the working tree has changes; commit them first');
  if (git('tag', '--list', `v${version}`) !== '')
    exitWithError(`release: the tag v${version} exists; choose a later version`);
  if (spawnSync(process.execPath, ['scripts/check.mjs'], { cwd: root, stdio: 'inherit' }).status !== 0)
    exitWithError('release: check failed; see above');
  checkPacked();
  for (const [path, text] of changes) writeFileSync(join(root, path), text);
  git('commit', '--all', '--quiet', '--message', `Release ${version}`);
  git('tag', '--annotate', `v${version}`, '--message', `Mien ${version}`);
  process.stdout.write(
    `Committed and tagged v${version}. To publish: git push --follow-tags, then node scripts/pnpm.mjs --recursive publish\n`,
  );
}

/**
 * The files that a release changes.
 * @param {string} version
 * @returns {Map<string, string>}
 */
function textsOf(version) {
  try {
    const { version: current } = JSON.parse(read(manifests[0] ?? ''));
    expectLaterVersion(current, version);
    const today = new Date().toISOString().slice(0, 10);
    return new Map([
      ...manifests.map((path) => /** @type {const} */ ([path, withVersion(read(path), version)])),
      ['CHANGELOG.md', datedChangelog(read('CHANGELOG.md'), version, today)],
    ]);
  } catch (reason) {
    return exitWithError(reason instanceof RangeError ? reason.message : `${reason}`);
  }
}

/** Prints the lines that change. @param {string} path @param {string} before @param {string} after */
function print(path, before, after) {
  const [old, now] = [before.split('\n'), after.split('\n')];
  for (const [i, line] of now.entries()) if (line !== old[i]) process.stdout.write(`${path}: ${old[i]} -> ${line}\n`);
}

/** @param {string} path */
function read(path) {
  return readFileSync(join(root, path), 'utf8');
}

/** @param {string[]} args */
function git(...args) {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) exitWithError(`release: git ${args[0]} failed: ${stderr.trim()}`);
  return stdout.trim();
}

function readOptions() {
  const usage = 'release: expected VERSION [--dry-run] or --check';
  const options = /** @type {const} */ ({ check: { type: 'boolean' }, 'dry-run': { type: 'boolean' } });
  try {
    const read = parseArgs({ args: scriptArgs(), options, allowPositionals: true });
    return read.positionals.length === (read.values.check ? 0 : 1) ? read : exitWithError(usage);
  } catch {
    return exitWithError(usage);
  }
}
