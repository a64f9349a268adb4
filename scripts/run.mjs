// node scripts/run.mjs FILE.ts arguments: bundles and runs any entry.
import { resolve } from 'node:path';
import { callerFolder, fail, prepare, typed } from './workspace.mjs';

const [file, ...words] = typed();
if (!file) fail('run: name a TypeScript file: node scripts/run.mjs FILE.ts arguments');
prepare();
process.chdir(callerFolder);
const { runEntry } = await import('./bundle.mjs');
await runEntry(resolve(callerFolder, file), words);
