// npm run doctor -- [--json] [--thorough] [--adapter NAME]: the command `mien doctor`.
import { join } from 'node:path';
import { prepare, root, scriptArgs } from './workspace.mjs';

prepare();
const { runEntry } = await import('./bundle.mjs');
await runEntry(join(root, 'packages/fer/src/commands/main.ts'), ['doctor', ...scriptArgs()]);
