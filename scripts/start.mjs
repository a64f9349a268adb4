// npm start: installs what is missing, then trains on the first data at hand and writes runs/start of the repository.
import { join, resolve } from 'node:path';
import { callerFolder, prepare, root, typed } from './workspace.mjs';

const PATHS = ['--data', '--out'];
const words = typed().map((word, i, all) => {
  if (PATHS.includes(all[i - 1])) return resolve(callerFolder, word);
  const option = PATHS.find((name) => word.startsWith(`${name}=`));
  return option === undefined ? word : `${option}=${resolve(callerFolder, word.slice(option.length + 1))}`;
});
prepare();
process.chdir(root);
const { runEntry } = await import('./bundle.mjs');
await runEntry(join(root, 'packages/fer/src/commands/start.ts'), words);
