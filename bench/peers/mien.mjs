// Mien's own record of a piece of work.
import { init } from '@mien/tensor';
import { selected } from '../main.ts';

const name = process.argv[2];
const { facts } = await init();
const [found] = selected([name]);
const record = await found.run();
process.stdout.write(`\n${JSON.stringify({ ...record, adapter: facts.name })}\n`, () => process.exit());
