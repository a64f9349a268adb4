// npm run watch -- WORD: runs the cases of a word in Node, and again whenever a source is saved.
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { fail, prepare, root, typed } from './workspace.mjs';

const words = typed();
if (words.length === 0) fail('watch: name a word, as for npm test: npm run watch -- conv2d');
prepare();
let running = null;
let again = false;
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
  running = spawn(process.execPath, [join(root, 'scripts', 'test.mjs'), '--node', ...words], {
    cwd: root,
    stdio: 'inherit',
  });
  running.once('exit', () => {
    running = null;
    if (again) run();
    again = false;
  });
}
