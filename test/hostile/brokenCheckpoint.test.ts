// Checkpoints that are truncated, edited, contain NaN, or belong to another network.
import { drawFaces, readTraining, split, Training, trainingConfig } from '@mien/fer';
import { FormatError, StateError } from '@mien/nn';
import { ValueError } from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const train = split(drawFaces({ training: 1, publicTest: 1, privateTest: 1 }), 'Training');
const settings = trainingConfig('nano', 'drawn');
const checkpoint = async (): Promise<Uint8Array> => {
  using training = new Training({ model: 'nano', train, config: settings });
  return await training.checkpoint();
};

/** Replaces a text in the header by another of the same length. */
function edited(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = new TextDecoder('latin1').decode(bytes);
  const at = text.indexOf(from);
  const copy = bytes.slice();
  for (let i = 0; i < to.length; i++) copy[at + i] = to.charCodeAt(i);
  return copy;
}

test('readTraining refuses a truncated checkpoint', async () => {
  const bytes = await checkpoint();
  refuses(
    () => readTraining(bytes.subarray(0, bytes.length - 100), 'a.safetensors'),
    FormatError,
    'tensor ema.classifier.weight: ends at byte 215120 of the data, the file has 215048',
  );
  refuses(() => readTraining(bytes.subarray(0, 3), 'a.safetensors'), FormatError, 'a.safetensors: byte 0');
});

test('readTraining refuses a checkpoint with an edited header', async () => {
  const bytes = await checkpoint();
  refuses(
    () => readTraining(edited(bytes, '[12,1,3,3]', '[12,1,3,9]')),
    FormatError,
    'tensor features.0.0.weight: F32 [12, 1, 3, 9] needs 1296 bytes, its data_offsets [0, 432] have 432',
  );
  const other = edited(bytes, '\\"model\\":\\"nano\\"', '\\"model\\":\\"nana\\"');
  refuses(
    () => readTraining(other, 'a.safetensors'),
    ValueError,
    'a.safetensors: expected a network of vgg11, vgg13, vgg16, vgg19, resnet18, resnet34, small, nano, got nana',
  );
});

test('readTraining refuses a checkpoint with NaN weights', async () => {
  const bytes = (await checkpoint()).slice();
  const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  new DataView(bytes.buffer).setFloat32(start + 8, Number.NaN, true);
  refuses(() => readTraining(bytes), FormatError, 'element 2 is NaN');
});

test('Training refuses the checkpoint of another network', async () => {
  const read = readTraining(await checkpoint());
  const options = { model: 'small', train, config: settings } as const;
  refuses(() => new Training(options, read), StateError, 'build the network that was saved');
});
