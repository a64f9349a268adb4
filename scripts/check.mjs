// npm run check -- [--fix]: everything that can be known without running a test; --fix formats first.
import { fail, prepare, typed } from './workspace.mjs';

const words = typed();
if (words.some((word) => word !== '--fix')) fail('check: its one option is --fix');
prepare();
const { check, tool } = await import('./checks.mjs');
if (words.length > 0) await tool('@biomejs/biome/bin/biome', ['check', '--write', '.']);
const records = await check();
const failed = records.filter(({ state }) => state === 'failed');
for (const { name, reason } of failed) process.stdout.write(`\n${name}\n${reason}\n`);
process.stdout.write(`\n${records.length - failed.length} passed, ${failed.length} failed\n`);
process.exit(failed.length > 0 ? 1 : 0);
