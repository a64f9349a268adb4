// Can a network memorize eight images? `node scripts/run.mjs bench/overfit.ts vgg19 CK+48` trains on one image of each
// class and one more until the loss is under 0.05, and prints the steps. Dropout is off, because it prevents memorizing.
import { Cropper, createNetwork, type ModelName, trainingConfig } from '@mien/fer';
import { readCkPlus } from '@mien/fer/node';
import { crossEntropy, SGD } from '@mien/nn';
import { Generator, init, scope, tensor } from '@mien/tensor';

const [model = 'vgg19', folder = 'CK+48'] = process.argv.slice(2) as [ModelName?, string?];
const { facts } = await init();
const faces = await readCkPlus(folder);
const firstOfEach = faces.classes.map((_, label) => faces.labels.indexOf(label));
const chosen = [...firstOfEach, (firstOfEach[0] as number) + 3];
const { input } = trainingConfig(model, 'ck+');
const cropper = new Cropper(input);
const pixels = cropper.cut(
  faces.images,
  chosen.map((index) => cropper.center(index)),
);
const x = tensor(pixels, { shape: [chosen.length, input.channels, input.size, input.size] });
const labels = tensor(Int32Array.from(chosen, (index) => faces.labels[index] as number));

const generator = new Generator(1);
using net = createNetwork(model, { classes: faces.classes.length, channels: input.channels, generator });
for (const [, module] of net.namedModules()) if (module.constructor.name === 'Dropout') module.eval();
using optimizer = new SGD(net.namedParameters(), { lr: 0.01, momentum: 0.9 });

const started = performance.now();
for (let step = 1; step <= 100; step++) {
  const loss = scope(() => {
    const loss = crossEntropy(net.forward(x), labels);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss.detach();
  });
  const value = await loss.item();
  loss.dispose();
  console.log(`step ${step}: loss ${value.toFixed(4)}`);
  if (value < 0.05) {
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `${model} knows ${chosen.length} images by heart after ${step} steps, ${seconds.toFixed(0)} s on ${facts.name}`,
    );
    break;
  }
}
