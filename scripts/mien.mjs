// npm run mien -- ARGUMENT...: the command mien from source; relative paths start at the folder of the caller.
import { join } from 'node:path';
import { callerFolder, prepare, root, scriptArgs } from './workspace.mjs';

prepare();
process.chdir(callerFolder);
const { runEntry } = await import('./bundle.mjs');
await runEntry(join(root, 'packages/fer/src/commands/main.ts'), scriptArgs());
