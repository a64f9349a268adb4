import { EMA, Linear, StateError, toHost } from '@mien/nn';
import { assign, type Tensor, zeros } from '@mien/tensor';
import { viewOf } from '@mien/tensor/internal';
import { ensure, nearValues, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

test('EMA uses the decay (1 + n) / (10 + n) at update n, so that initial values are soon forgotten', async () => {
  using layer = new Linear(3, 2);
  using ema = new EMA(layer, { decay: 0.75 });
  const start = await layer.weight.data();
  assign(
    layer.weight,
    start.map((value) => value + 1),
  );
  ema.update();
  ema.update();
  const inside = await ema.applied(() => layer.weight.data());
  nearValues(
    inside,
    start.map((value) => value + 1 - (1 / 10) * (2 / 11)),
  );
});

test('EMA follows the values, and applied restores them bit for bit', async () => {
  using layer = new Linear(3, 2);
  using ema = new EMA(layer, { decay: 0.75, updates: 1000 });
  const start = await layer.weight.data();
  assign(
    layer.weight,
    start.map((value) => value + 1),
  );
  const own = (await layer.weight.data()).join();
  ema.update();
  ema.update();
  const inside = await ema.applied(() => layer.weight.data());
  nearValues(
    inside,
    start.map((value) => value + 1 - 0.75 ** 2),
  );
  ensure((await layer.weight.data()).join() === own, 'its own values changed');
  using other = new EMA(layer);
  other.loadStateDict(await toHost(ema.stateDict()));
  const [a, b] = await Promise.all([ema, other].map((each) => each.stateDict().get('weight')?.data()));
  ensure(a?.join() === b?.join(), 'the loaded averages differ');
  refuses(() => other.loadStateDict(new Map([['weight', zeros([2, 3])]])), StateError, 'missing bias');
});

test('assign copies between averages that share a storage', async () => {
  using layer = new Linear(1, 3);
  using ema = new EMA(layer);
  const state = ema.stateDict();
  const [weight, bias] = [state.get('weight'), state.get('bias')] as [Tensor, Tensor];
  assign(bias, [4, 5, 6]);
  assign(viewOf(weight, [3]), bias);
  const actual = await Promise.all([weight.data(), bias.data()]);
  ensure(actual.join(' ') === '4,5,6 4,5,6', actual.join(' '));
});

test('EMA follows weights of any number of workgroups, and swaps them with its averages and back', async () => {
  // Numbers of vec4: within a lane, a subgroup of 8 or 16, and more than the 256 that a workgroup swaps.
  for (const size of [3, 30, 32, 64, 1030, 2048, 3000]) {
    using layer = new Linear(size, 1, { bias: false });
    const start = (await layer.weight.data()).slice();
    using ema = new EMA(layer, { decay: 0.75, updates: 1000 });
    const own = start.map((value, i) => value + 1 + i);
    assign(layer.weight, own);
    ema.update();
    const inside = await ema.applied(() => layer.weight.data());
    nearValues(
      inside,
      start.map((value, i) => value + 0.25 * (1 + i)),
    );
    const after = await layer.weight.data();
    ensure(after.join() === own.join(), `the ${size} weights that were trained are not what they were`);
  }
});
