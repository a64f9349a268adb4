// npm start: installs the dependencies, then trains on the first data set it finds and writes runs/start.
import { join, resolve } from 'node:path';
import { callerFolder, prepare, root, scriptArgs } from './workspace.mjs';

const pathOptions = ['--data', '--out'];
const args = scriptArgs().map((argument, i, all) => {
  if (pathOptions.includes(all[i - 1] ?? '')) return resolve(callerFolder, argument);
  const option = pathOptions.find((name) => argument.startsWith(`${name}=`));
  return option === undefined ? argument : `${option}=${resolve(callerFolder, argument.slice(option.length + 1))}`;
});
prepare();
process.chdir(root);
const { runEntry } = await import('./bundle.mjs');
await runEntry(join(root, 'packages/fer/src/commands/start.ts'), args);
