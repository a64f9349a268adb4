// npm run check -- [--fix | --api | --coverage]: everything that can be known without running a test. --fix formats first, --api
// rewrites the api.txt of each package, --coverage prints which laws each public function has.
import { exitWithError, prepare, scriptArgs } from './workspace.mjs';

const words = scriptArgs();
if (words.length > 1 || !['--fix', '--api', '--coverage', undefined].includes(words[0]))
  exitWithError('check: its options are --fix, --api and --coverage');
prepare();
if (words[0] === '--coverage') {
  const { coverageTable } = await import('./checkCoverage.mjs');
  process.stdout.write(`${await coverageTable()}\n`);
  process.exit(0);
}
const { check, tool, typeErrors } = await import('./checks.mjs');
if (words[0] === '--api') {
  const problems = await typeErrors();
  if (problems.length > 0) exitWithError(problems.join('\n'));
  const { writeApis } = await import('./api.mjs');
  const written = writeApis();
  process.stdout.write(
    `check: ${written.length > 0 ? `wrote ${written.join(', ')}` : 'every api.txt is up to date'}\n`,
  );
  process.exit(0);
}
if (words.length > 0) await tool('@biomejs/biome/bin/biome', ['check', '--write', '.']);
const records = await check();
const failed = records.filter(({ state }) => state === 'failed');
for (const { name, reason } of failed) process.stdout.write(`\n${name}\n${reason}\n`);
process.stdout.write(`\n${records.length - failed.length} passed, ${failed.length} failed\n`);
process.exit(failed.length > 0 ? 1 : 0);
