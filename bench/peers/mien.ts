// Mien's measurement: on a software adapter the host waits for each run, as with the peers; on a GPU a sample has several runs, as with
// PyTorch on CUDA.
import { init } from '@mien/tensor';
import { selected } from '../main.ts';
import type { Case } from '../measure.ts';

const { facts } = await init();
const [selectedCase] = selected(process.argv.slice(2)) as readonly [Case];
const record = await selectedCase.run(facts.software ? 'alone' : 'together');
process.stdout.write(`\n${JSON.stringify({ ...record, adapter: facts.name })}\n`, () => process.exit());
