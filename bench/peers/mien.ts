// Mien's own record of a piece of work, as the peers' programs give theirs.
import { init } from '@mien/tensor';
import { selected } from '../main.ts';
import type { Case } from '../measure.ts';

const { facts } = await init();
const [found] = selected(process.argv.slice(2)) as readonly [Case];
const record = await found.run();
process.stdout.write(`\n${JSON.stringify({ ...record, adapter: facts.name })}\n`, () => process.exit());
