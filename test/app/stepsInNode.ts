// Runs twentySteps in a separate process, to choose its adapter. Arguments: `until`, the output file, and a checkpoint.
import { readFileSync, writeFileSync } from 'node:fs';
import { twentySteps } from './twentySteps.ts';

const [until, out, checkpoint] = process.argv.slice(2) as [string, string, string?];
const from = checkpoint === undefined ? undefined : [...readFileSync(checkpoint)];
writeFileSync(out, JSON.stringify(await twentySteps(Number(until), from)));
process.exit(0);
