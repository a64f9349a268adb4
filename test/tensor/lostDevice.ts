// Prints the errors of a captured function after its device was lost, and on another device.
import { capture, device, init, ones, type Tensor } from '@mien/tensor';

await init();
const step = capture((x: Tensor) => x.mul(2));
for (let i = 0; i < 3; i++) await step.run(ones([2])).data();
const x = ones([2]);
const say = (): void => {
  try {
    step.run(x);
    process.stdout.write('nothing was refused\n');
  } catch (reason) {
    process.stdout.write(`${reason}\n`);
  }
};
device().destroy();
await new Promise((turn) => setTimeout(turn, 50));
say();
await init();
say();
process.exit(0);
