// The networks shipped with the package: the figures in their files, and that they read faces.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawFaces, readTraining } from '@mien/fer';
import { evaluate, exportWeights, models, train } from '@mien/fer/node';
import { SHIPPED, shippedWeights } from '@mien/fer/weights';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

test('shippedWeights are float16 files of less than 1.5 MB together, without optimizer and without paths', async () => {
  let bytes = 0;
  for (const name of SHIPPED) {
    const file = await shippedWeights(name);
    bytes += file.length;
    const { info, model, optimizer, ema } = readTraining(file, name);
    assert.is(info.model, name);
    assert.equal([optimizer.size, ema.size], [0, 0]);
    const values = [...model.values()].reduce((sum, { data }) => sum + data.length, 0);
    assert.ok(file.length < 2.2 * values + 20_000, `${file.length} bytes for ${values} values`);
    assert.not.match(JSON.stringify(info), /\/[a-z]+\//);
  }
  assert.ok(bytes < 1_500_000, `${bytes} bytes`);
});

test('models reports the figures of the files: accuracy with its interval, size, checksum, command', async () => {
  const { shipped, detector, untrained } = await models();
  assert.equal(
    shipped.map(({ name }) => name),
    ['small', 'nano'],
  );
  for (const { accuracy, interval, n, sha256, parameters, command, name } of shipped) {
    assert.ok(accuracy > 0.5 && interval[0] < accuracy && accuracy < interval[1] && n === 3589, `${name}: ${accuracy}`);
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert.ok(parameters > 20_000 && command.includes(`--weights ${name} `));
  }
  assert.match(detector.license, /Apache/);
  assert.ok(untrained.includes('vgg19') && !untrained.includes('small'));
});

test('the model card has the accuracies of the files', async () => {
  const card = readFileSync('packages/fer/weights/README.md', 'utf8');
  for (const { accuracy } of (await models()).shipped) assert.ok(card.includes(`**${(100 * accuracy).toFixed(2)} %**`));
});

test('exportWeights writes the averaged weights in half the bytes, with nearly the same figures', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mien-export-'));
  try {
    const faces = drawFaces({ training: 6, publicTest: 3, privateTest: 2 });
    const run = join(folder, 'run');
    await train({ model: 'nano', faces, out: run, config: { epochs: 2, batchSize: 14 } });
    const { out, bytes, figures } = await exportWeights({ weights: run });
    assert.is(figures, null);
    assert.is(out, join(run, 'last.f16.safetensors'));
    assert.ok(bytes < readFileSync(join(run, 'last.safetensors')).length / 4);
    const [before, after] = [await evaluate({ weights: run, faces }), await evaluate({ weights: out, faces })];
    // Rounding to float16 changes each weight by at most 2^-11 of it.
    assert.ok(Math.abs(before.loss - after.loss) < 1e-2 * before.loss, `${before.loss}, then ${after.loss}`);
    let said = '';
    await exportWeights({ weights: run }).catch((reason) => {
      said = String(reason);
    });
    assert.match(said, /exists already; pass another --out/);
    await train({ resume: out }).catch((reason) => {
      said = String(reason);
    });
    assert.match(said, /does not exist|resume/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
