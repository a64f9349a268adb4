// npm run faults -- [FILTER...] [--seed N] [--json FILE] [--start]: which faults of an adapter the start check and the thorough check
// see; --start tries the start check only.
import { join, resolve } from 'node:path';
import { callerFolder, exitWithError, parseScriptArgs, prepare, root } from './workspace.mjs';

const { values, positionals } = parseScriptArgs('faults', '[FILTER...] --seed N --json FILE --start', {
  seed: { type: 'string', default: '1' },
  json: { type: 'string' },
  start: { type: 'boolean', default: false },
});
const seed = Number(values.seed);
if (!Number.isSafeInteger(seed) || seed < 0)
  exitWithError(`faults: --seed must be a non-negative integer, got ${values.seed}`);
prepare();
const { runEntry } = await import('./bundle.mjs');
const file = values.json === undefined ? null : resolve(callerFolder, values.json);
const job = JSON.stringify({ words: positionals, seed, file, startOnly: values.start });
await runEntry(join(root, 'test/faults/campaign.ts'), [job]);
