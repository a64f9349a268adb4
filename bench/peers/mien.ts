// Mien's own record of a piece of work, as the peers' programs give theirs: on a software adapter each run is awaited, as they do; on a
// GPU runs go together, as PyTorch's do on CUDA.
import { init } from '@mien/tensor';
import { selected } from '../main.ts';
import type { Case } from '../measure.ts';

const { facts } = await init();
const [found] = selected(process.argv.slice(2)) as readonly [Case];
const record = await found.run(facts.software ? 'alone' : 'together');
process.stdout.write(`\n${JSON.stringify({ ...record, adapter: facts.name })}\n`, () => process.exit());
