// Runs with the weights of another run.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawFaces, type ReadCheckpoint, readTraining } from '@mien/fer';
import { type RunEvent, train } from '@mien/fer/node';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const faces = drawFaces({ training: 3, publicTest: 1, privateTest: 1 });
// A step too small for single precision: the saved weights are the initial ones.
const still = { epochs: 1, batchSize: 8, learningRate: 1e-30, ema: null } as const;

const checkpoint = (folder: string): ReadCheckpoint =>
  readTraining(new Uint8Array(readFileSync(join(folder, 'last.safetensors'))));

test('train starts from the averaged weights of a checkpoint, except a classifier of other classes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mien-initial-'));
  const [first, same, other] = ['first', 'same', 'other'].map((name) => join(folder, name)) as [string, string, string];
  try {
    await train({ model: 'nano', faces, out: first, config: { epochs: 1, batchSize: 8 } });
    const told: Extract<RunEvent, { event: 'initialized' }>[] = [];
    const onEvent = (event: RunEvent): void => {
      if (event.event === 'initialized') told.push(event);
    };
    const common = { model: 'nano', init: first, config: still, stopAfter: 1, onEvent } as const;
    const { summary } = await train({ ...common, faces, out: same });
    const others = { ...faces, classes: faces.classes.map((name) => `${name}ish`) };
    await train({ ...common, faces: others, out: other, seed: 2 });
    const { model, ema } = checkpoint(first);
    assert.is(summary.init, join(first, 'last.safetensors'));
    assert.equal(
      told.map(({ taken, left }) => [taken, left]),
      [
        [model.size, []],
        [model.size - 2, ['classifier.weight', 'classifier.bias']],
      ],
    );
    const equal = (out: string, name: string): boolean =>
      Buffer.from(checkpoint(out).model.get(name)?.data.buffer as ArrayBuffer).equals(
        Buffer.from((ema.get(name) ?? model.get(name))?.data.buffer as ArrayBuffer),
      );
    // Running statistics change with any learning rate.
    for (const name of [...model.keys()].filter((name) => !/running|num_batches/.test(name))) {
      assert.ok(equal(same, name), name);
      assert.is(equal(other, name), !name.startsWith('classifier.'), name);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('train refuses initial weights of another network, and initial weights for a resumed run', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mien-initial-'));
  const first = join(folder, 'first');
  try {
    await train({ model: 'nano', faces, out: first, config: still, stopAfter: 1 });
    const refused = async (work: Promise<unknown>, sentence: RegExp): Promise<void> => {
      const message = await work.then(
        () => 'accepted',
        (reason: Error) => reason.message,
      );
      assert.match(message, sentence);
    };
    await refused(
      train({ model: 'small', faces, init: first, out: join(folder, 'x') }),
      /expected weights of small, got nano/,
    );
    await refused(train({ resume: first, faces, init: first }), /leave out init/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
