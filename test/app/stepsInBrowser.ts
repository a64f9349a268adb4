// Gives the page of the test its one function.
import { twentySteps } from './twentySteps.ts';

Object.assign(globalThis, { twentySteps });
