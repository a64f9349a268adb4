// A process of its own for twentySteps, so that its adapter can be chosen: `until` and a checkpoint's file come as words.
import { readFileSync, writeFileSync } from 'node:fs';
import { twentySteps } from './twentySteps.ts';

const [until, out, checkpoint] = process.argv.slice(2) as [string, string, string?];
const from = checkpoint === undefined ? undefined : [...readFileSync(checkpoint)];
writeFileSync(out, JSON.stringify(await twentySteps(Number(until), from)));
process.exit(0);
