// Makes twentySteps available in the page of the test.
import { twentySteps } from './twentySteps.ts';

Object.assign(globalThis, { twentySteps });
