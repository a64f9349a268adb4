// node scripts/pnpm.mjs add --filter @mien/fer --save-exact NAME: pnpm at the version that package.json names.
import { pnpm, scriptArgs } from './workspace.mjs';

process.exitCode = pnpm(scriptArgs());
