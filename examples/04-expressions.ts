// Expression recognition in Node: nano is trained on synthetic faces, then classifies unseen ones.
import { Cropper, drawFaces, PIXELS, split, Training, trainingConfig } from '@mien/fer';
import { init, noGrad, scope, softmax, tensor } from '@mien/tensor';

const { facts } = await init();
const faces = drawFaces({ seed: 5, training: 120, publicTest: 1, privateTest: 12 });
const config = trainingConfig('nano', 'drawn', { epochs: 6 });
const training = new Training({ model: 'nano', train: split(faces, 'Training'), config });

while (!training.done) {
  while (!training.atEpochEnd) await training.step();
  const { loss, accuracy } = await training.finishEpoch();
  console.log(
    `epoch ${training.epoch} on ${facts.name}: loss ${loss.toFixed(3)}, accuracy ${(100 * accuracy).toFixed(1)} %`,
  );
}

/** A face as 24 x 12 characters. */
function sketch(face: Uint8Array): string {
  const rows = Array.from({ length: 12 }, (_, row) =>
    Array.from({ length: 24 }, (_, column) => {
      const shade = face[(row * 4 + 2) * 48 + column * 2] as number;
      return ' .:-=+*#%@'[Math.floor(((255 - shade) / 256) * 10)];
    }).join(''),
  );
  return rows.join('\n');
}

const unseen = split(faces, 'PublicTest');
const cropper = new Cropper(config.input);
training.network.eval();
for (const index of unseen.indices.slice(0, 3)) {
  const view = cropper.cut(faces.images, [cropper.center(index)]);
  const scores = scope(() =>
    noGrad(() => softmax(training.network.forward(tensor(view, { shape: [1, 1, 44, 44] })), 1)),
  );
  const values = Array.from(await scores.data());
  scores.dispose();
  const ranked = values.map((score, i) => ({ score, name: faces.classes[i] })).sort((a, b) => b.score - a.score);
  const shown = ranked.slice(0, 3).map(({ score, name }) => `${name} ${(100 * score).toFixed(0)} %`);
  console.log(`\n${sketch(faces.images.subarray(index * PIXELS, (index + 1) * PIXELS))}`);
  console.log(`label ${faces.classes[faces.labels[index] as number]}, predicted ${shown.join(', ')}`);
}

const { accuracy, matrix } = await training.evaluate(split(faces, 'PrivateTest'), { crops: 10 });
training.dispose();
console.log(
  `\n${(100 * accuracy).toFixed(1)} % of ${matrix.total} unseen synthetic faces classified correctly, ten-crop`,
);
