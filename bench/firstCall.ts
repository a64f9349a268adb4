// Prints the milliseconds from `init()` to the first result in a new process.
import type { ModelName } from '@mien/fer';
import { init, scope, zeros } from '@mien/tensor';
import { inputOf, networkOf, trainingOf } from './networkCases.ts';

const [model, kind] = process.argv.slice(2) as [ModelName, 'forward' | 'step'];
const start = performance.now();
await init();
if (kind === 'step') {
  const training = trainingOf(model, 16);
  await training.step();
  await training.drain();
} else {
  const net = networkOf(model).eval() as ReturnType<typeof networkOf>;
  const { channels, size } = inputOf(model);
  await scope(() => net.forward(zeros([1, channels, size, size]))).data();
}
process.stdout.write(`${performance.now() - start}\n`);
