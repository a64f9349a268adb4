import { createNetwork, drawFaces, MODELS, type ModelName, split, Training, trainingConfig } from '@mien/fer';
import { Generator, noGrad, randn, scope } from '@mien/tensor';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const build = (name: ModelName) =>
  createNetwork(name, {
    classes: 7,
    channels: trainingConfig(name, 'fer2013').input.channels,
    generator: new Generator(1),
  });

const parameters: Partial<Record<ModelName, number>> = {
  vgg19: 20_038_983,
  resnet18: 11_172_423,
  // torchvision's ResNet34 with a 3x3 stem instead of 7x7 and 7 classes instead of 1,000.
  resnet34: 21_797_672 - 7 * 7 * 3 * 64 + 3 * 3 * 3 * 64 - 513 * 1000 + 513 * 7,
  small: 349_383,
  nano: 25_591,
};

for (const [name, expected] of Object.entries(parameters) as [ModelName, number][]) {
  test(`createNetwork builds ${name} with ${expected} parameters`, () => {
    const net = build(name);
    assert.is(
      net.parameters().reduce((sum, { size }) => sum + size, 0),
      expected,
    );
    net.dispose();
  });
}

test('createNetwork gives VGG19 and ResNet18 the names and shapes of the released checkpoints', () => {
  const vgg = build('vgg19');
  const shapes = new Map([...vgg.stateDict()].map(([name, { shape }]) => [name, shape.join('x')]));
  assert.is(shapes.get('features.0.weight'), '64x3x3x3');
  assert.is(shapes.get('features.1.running_mean'), '64');
  assert.is(shapes.get('features.3.bias'), '64');
  assert.is(shapes.get('features.49.weight'), '512x512x3x3');
  assert.is(shapes.get('classifier.weight'), '7x512');
  assert.is(shapes.size, 16 * 7 + 2);
  vgg.dispose();
  const resnet = build('resnet18');
  const names = new Map([...resnet.stateDict()].map(([name, { shape }]) => [name, shape.join('x')]));
  assert.is(names.get('conv1.weight'), '64x3x3x3');
  assert.is(names.get('layer2.0.shortcut.0.weight'), '128x64x1x1');
  assert.is(names.get('layer2.0.shortcut.1.running_var'), '128');
  assert.is(names.get('layer4.1.conv2.weight'), '512x512x3x3');
  assert.is(names.get('linear.bias'), '7');
  assert.not.ok(names.has('layer1.0.shortcut.0.weight'));
  resnet.dispose();
});

for (const name of ['resnet34', 'small', 'nano'] as const) {
  test(`createNetwork maps two images to two rows of seven logits: ${name}`, async () => {
    const net = build(name).eval();
    const { channels } = trainingConfig(name, 'fer2013').input;
    const logits = scope(() =>
      noGrad(() => net.forward(randn([2, channels, 44, 44], { generator: new Generator(2) }))),
    );
    assert.equal([...logits.shape], [2, 7]);
    assert.ok((await logits.data()).every(Number.isFinite));
    logits.dispose();
    net.dispose();
  });
}

test('createNetwork draws the same weights for a seed, and has eight names', async () => {
  const [a, b] = [build('nano'), build('nano')];
  assert.equal(await a.parameters()[0]?.data(), await b.parameters()[0]?.data());
  a.dispose();
  b.dispose();
  assert.is(MODELS.length, 8);
});

test('Training trains ResNet34 for a step: finite loss, changed weights', async () => {
  const faces = drawFaces({ training: 1, publicTest: 1, privateTest: 1 });
  const config = trainingConfig('resnet34', 'drawn', { batchSize: 2 });
  using training = new Training({ model: 'resnet34', train: split(faces, 'Training'), config });
  const weight = training.network.parameters().at(-2);
  const before = await weight?.data();
  await training.step();
  const [report] = await training.drain();
  assert.ok(Number.isFinite(report?.loss) && (report?.loss ?? 0) > 0);
  assert.not.equal(await weight?.data(), before);
});
