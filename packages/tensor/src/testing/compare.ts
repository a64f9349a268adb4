// Comparisons of tensors with references, for programs that ship: nothing here needs fast-check.
export { kernels } from '../runtime/kernel.ts';
export { openScope } from '../runtime/scope.ts';
export { gradcheck } from './gradcheck.ts';
export { ensure, Mismatch, takeWorstRatio } from './mismatch.ts';
export { near } from './near.ts';
export { random, toTensor } from './tensors.ts';
