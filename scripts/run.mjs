// node scripts/run.mjs FILE.ts arguments: bundles and runs any entry.
import { resolve } from 'node:path';
import { callerFolder, exitWithError, prepare, scriptArgs } from './workspace.mjs';

const [file, ...args] = scriptArgs();
if (!file) exitWithError('run: a file is required: node scripts/run.mjs FILE.ts [ARGUMENT...]');
prepare();
process.chdir(callerFolder);
const { runEntry } = await import('./bundle.mjs');
await runEntry(resolve(callerFolder, file), args);
