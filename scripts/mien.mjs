// npm run mien -- …: the command of packages/fer, from source; relative paths are the caller's.
import { join } from 'node:path';
import { callerFolder, prepare, root, typed } from './workspace.mjs';

prepare();
process.chdir(callerFolder);
const { runEntry } = await import('./bundle.mjs');
await runEntry(join(root, 'packages/fer/src/commands/main.ts'), typed());
