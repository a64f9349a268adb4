// npm run doctor -- [--json]: which adapters there are, what they can do, and whether they compute.
import { join } from 'node:path';
import { prepare, root, typed } from './workspace.mjs';

prepare();
const { runEntry } = await import('./bundle.mjs');
await runEntry(join(root, 'scripts/doctor.ts'), typed());
