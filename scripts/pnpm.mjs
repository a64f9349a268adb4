// node scripts/pnpm.mjs add --filter @mien/fer --save-exact NAME: pnpm at the version that package.json names.
import { pnpm, typed } from './workspace.mjs';

process.exitCode = pnpm(typed());
