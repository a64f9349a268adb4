// npm run faults -- [WORD...] --seed N --json FILE --start: which faults of an adapter the start check and the thorough check see.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { callerFolder, fail, prepare, root, typed } from './workspace.mjs';

// --start tries the start check only.
const options = { seed: { type: 'string', default: '1' }, json: { type: 'string' }, start: { type: 'boolean' } };
const { values, positionals: words } = read();
const seed = Number(values.seed);
if (!Number.isSafeInteger(seed) || seed < 0) fail(`faults: --seed expects an integer, got ${values.seed}`);
prepare();
const { runEntry } = await import('./bundle.mjs');
const file = values.json === undefined ? null : resolve(callerFolder, values.json);
const job = JSON.stringify({ words, seed, file, startOnly: values.start ?? false });
await runEntry(join(root, 'test/faults/campaign.ts'), [job]);

function read() {
  try {
    return parseArgs({ args: typed(), options, allowPositionals: true });
  } catch (reason) {
    return fail(`faults: ${reason.message}; options are [WORD...] --seed N --json FILE --start`);
  }
}
