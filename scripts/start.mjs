// npm start: installs what is missing, then trains on the first data at hand and writes runs/start of the repository.
import { join, resolve } from 'node:path';
import { callerFolder, prepare, root, typed } from './workspace.mjs';

const words = typed().map((word, i, all) => {
  if (all[i - 1] === '--data') return resolve(callerFolder, word);
  return word.startsWith('--data=') ? `--data=${resolve(callerFolder, word.slice(7))}` : word;
});
prepare();
process.chdir(root);
const { runEntry } = await import('./bundle.mjs');
await runEntry(join(root, 'packages/fer/src/cli/start.ts'), words);
