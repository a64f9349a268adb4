// Small public functions that other tests use only indirectly.
import {
  CaptureError,
  capture,
  collectedTensors,
  defaultGenerator,
  device,
  empty,
  getFloat32MatmulPrecision,
  gradEnabled,
  init,
  keep,
  kernel,
  live,
  manualSeed,
  memory,
  noGrad,
  ones,
  rand,
  recomputing,
  run,
  ShapeError,
  scope,
  setFloat32MatmulPrecision,
  tensor,
  tuning,
  unchanging,
  ValueError,
} from '@mien/tensor';
import {
  deviceOf,
  expectBoolean,
  expectFunction,
  expectInteger,
  expectList,
  expectNumber,
  expectOneOf,
  expectOptions,
  expectPair,
  expectTensor,
  kindOf,
} from '@mien/tensor/internal';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

test('gradEnabled is false inside noGrad only', () => {
  ensure(gradEnabled() && !noGrad(() => gradEnabled()) && gradEnabled(), 'expected true outside noGrad');
});

test('recomputing is false outside a recomputation', () => {
  ensure(!recomputing(), 'expected false');
});

test('manualSeed and defaultGenerator: the same seed gives the same values', async () => {
  const draw = async (): Promise<string> => (await rand([4]).data()).join();
  manualSeed(5);
  const first = await draw();
  ensure((await draw()) !== first, 'expected the stream to continue');
  manualSeed(5);
  ensure((await draw()) === first, 'expected the stream to restart');
  ensure(defaultGenerator().state().seed === 5, 'expected the seed in the state');
});

test('setFloat32MatmulPrecision and getFloat32MatmulPrecision set and return the precision', () => {
  ensure(getFloat32MatmulPrecision() === 'highest', 'expected highest');
  setFloat32MatmulPrecision('highest');
});

test('init returns the device that exists, which device and deviceOf return', async () => {
  const existing = await init();
  ensure(existing === device() && deviceOf(ones([1])) === existing, 'expected one device');
  const { name, software } = existing.facts;
  ensure(name.length > 0 && typeof software === 'boolean', `facts: ${name}, ${software}`);
});

test('device and memory report the bytes of live tensors', () => {
  const before = memory().liveBytes;
  const x = empty([1024]);
  ensure(memory().liveBytes === before + 4096 && deviceOf(x) === device(), `${memory().liveBytes - before} bytes`);
  x.dispose();
  ensure(memory().liveBytes === before, 'expected all memory to be freed');
});

test('empty gives a tensor of a shape and dtype', () => {
  const x = empty([2, 3], 'int32');
  ensure(x.shape.join() === '2,3' && x.dtype === 'int32' && x.size === 6, `${x.dtype} [${x.shape}]`);
  x.dispose();
});

test('keep takes a tensor out of its scope', async () => {
  const holder = { x: ones([1]) };
  scope(() => {
    holder.x = keep(ones([2]).mul(3));
  });
  ensure((await holder.x.data()).join() === '3,3', 'expected a live tensor');
  holder.x.dispose();
});

test('collectedTensors counts by origin what the garbage collector freed', () => {
  ensure(
    Object.values(collectedTensors()).every((count) => count >= 1),
    'a count is not positive',
  );
});

test('kernel and run execute WGSL', async () => {
  const twice = kernel(`// y[i] = 2 x[i].
// threads: one each.
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn twice(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.size) { y[id.x] = 2 * x[id.x]; }
}
`);
  const [x, y] = [tensor([1, 2, 3]), empty([3])];
  run(twice, { x, y }, { size: 3 }, 1);
  ensure((await y.data()).join() === '2,4,6', 'twice');
  for (const each of [x, y]) each.dispose();
});

test('live computes its value immediately outside a capture', () => {
  let count = 0;
  ensure(live(() => ++count).value === 1 && count === 1, `${count} times`);
});

test('tuning is off unless asked for', () => {
  ensure(!tuning(), 'expected false');
});

test('item and data read the values of a tensor; item refuses several', async () => {
  const x = tensor([1, 2]);
  ensure((await x.data()).join() === '1,2' && (await tensor(7).item()) === 7, 'the values');
  const reason = await x.item().catch((error: unknown) => error);
  ensure(reason instanceof ShapeError, String(reason));
});

test('logicalNot is true where a value is 0', async () => {
  const x = tensor([0, 2, -1]);
  ensure((await x.logicalNot().data()).join() === '1,0,0' && x.logicalNot().dtype === 'bool', 'the first only');
});

test('unchanging makes a captured function refuse another value', () => {
  let mode = 1;
  using step = capture(() => {
    unchanging('the mode', () => mode);
    return ones([1]);
  });
  for (let call = 0; call < 3; call++) step.run();
  mode = 2;
  refuses(() => step.run(), CaptureError, 'the mode is 2');
});

test('expectTensor, expectOptions, expectBoolean, expectFunction, expectInteger, expectNumber, expectPair, expectOneOf, expectList and kindOf name the argument', () => {
  const x = tensor([1]);
  expectTensor('f', 'x', x);
  expectOptions('f', {});
  expectOptions('f', { stride: 2 }, ['stride', 'padding']);
  expectBoolean('f', 'keepDim', false);
  expectFunction('f', () => {});
  expectInteger('f', 'n', 3);
  expectNumber('f', 'p', 0.5, 0, 1);
  expectList('f', 'dims', []);
  expectOneOf('f', 'mode', 'a', ['a', 'b']);
  ensure(expectPair('f', 'size', 2, 1).join() === '2,2', 'one number for both');
  refuses(() => expectTensor('f', 'x', [1]), ValueError, 'f: x must be a tensor, got an array of 1');
  refuses(() => expectOptions('f', x), ValueError, 'f: options must be an object, got a tensor [1]');
  const names = ['stride', 'padding', 'keepDim'];
  const misspelled = (options: object, message: string): void =>
    refuses(() => expectOptions('f', options, names), ValueError, message);
  misspelled({ pading: 1 }, "f: unknown option 'pading'; did you mean 'padding'?");
  misspelled({ keep_dim: true }, "f: unknown option 'keep_dim'; did you mean 'keepDim'?");
  misspelled({ x: 1 }, "f: unknown option 'x'; expected 'stride', 'padding' or 'keepDim'");
  refuses(() => expectBoolean('f', 'keepDim', 1), ValueError, 'f: keepDim must be true or false, got 1');
  refuses(() => expectFunction('f', 'g'), ValueError, "f: expected a function, got 'g'");
  refuses(() => expectInteger('f', 'n', 0), ValueError, 'f: n must be a positive integer, got 0');
  refuses(() => expectNumber('f', 'p', 2, 0, 1), ValueError, 'f: p must be a number from 0 to 1, got 2');
  refuses(() => expectPair('f', 'size', [1], 1), ValueError, 'f: size');
  refuses(() => expectOneOf('f', 'mode', 'c', ['a', 'b']), ValueError, "f: mode must be 'a' or 'b', got 'c'");
  refuses(() => expectList('f', 'dims', 1), ShapeError, 'f: dims must be a list, got 1');
  ensure(kindOf(null) === 'null' && kindOf({}) === 'an object', kindOf({}));
});
