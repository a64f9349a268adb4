// npm run watch -- FILTER...: runs the matching cases in Node, and again whenever a source is saved.
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { exitWithError, prepare, root, scriptArgs } from './workspace.mjs';

const filters = scriptArgs();
if (filters.length === 0) exitWithError('watch: a filter is required, as for npm test: npm run watch -- conv2d');
prepare();
/** @type {import('node:child_process').ChildProcess | null} */
let running = null;
let again = false;
/** @type {NodeJS.Timeout | undefined} */
let timer;
run();
for (const folder of ['packages', 'shaders', 'test']) {
  watch(join(root, folder), { recursive: true }, (_event, name) => {
    if (!name || name.includes('node_modules')) return;
    clearTimeout(timer);
    timer = setTimeout(run, 100);
  });
}

function run() {
  if (running) {
    again = true;
    return;
  }
  running = spawn(process.execPath, [join(root, 'scripts', 'test.mjs'), '--node', ...filters], {
    cwd: root,
    stdio: 'inherit',
  });
  running.once('exit', () => {
    running = null;
    if (again) run();
    again = false;
  });
}
