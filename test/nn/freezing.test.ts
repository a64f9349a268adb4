// Frozen parameters: they stay parameters, and optimizers leave them as they are.
import { AdamW, BatchNorm1d, crossEntropy, EMA, Linear, type Module, ReLU, Sequential, SGD } from '@mien/nn';
import { CaptureError, capture, Generator, randn, type Tensor, tensor } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

function network(): Sequential {
  const generator = new Generator(4);
  return new Sequential(
    new Linear(3, 5, { generator }),
    new BatchNorm1d(5),
    new ReLU(),
    new Linear(5, 2, { generator }),
  );
}

const x = (): Tensor => randn([6, 3], { generator: new Generator(9) });
const labels = (): Tensor => tensor(Int32Array.of(0, 1, 1, 0, 1, 0));
const valuesIn = async (model: Module): Promise<Map<string, string>> => {
  const entries = model.namedParameters().map(async ([name, p]) => [name, [...(await p.data())].join()] as const);
  return new Map(await Promise.all(entries));
};

test('setRequiresGrad freezes parameters, which stay parameters', () => {
  using model = network();
  const [names, buffers] = [model.namedParameters().map(([name]) => name), model.namedBuffers().length];
  ensure(model.setRequiresGrad(false) === model, 'it returns the module');
  ensure(
    model.parameters().every((p) => !p.requiresGrad),
    'all are frozen',
  );
  ensure(
    model
      .namedParameters()
      .map(([name]) => name)
      .join() === names.join(),
    'they are still listed',
  );
  ensure(model.namedBuffers().length === buffers && !model.forward(x()).requiresGrad, 'and no buffers');
  model.setRequiresGrad();
  ensure(model.parameters().every((p) => p.requiresGrad) && model.forward(x()).requiresGrad, 'all are trained again');
});

for (const kind of ['SGD', 'AdamW'] as const) {
  test(`${kind} leaves frozen parameters as they are, also with weight decay and an older gradient`, async () => {
    using model = network();
    const parameters = model.namedParameters();
    const optimizer =
      kind === 'SGD'
        ? new SGD(parameters, { lr: 0.1, momentum: 0.9, weightDecay: 0.1 })
        : new AdamW(parameters, { lr: 0.1, weightDecay: 0.1 });
    const loss = (): Tensor => crossEntropy(model.forward(x()), labels());
    loss().backward();
    optimizer.step();
    const [first] = parameters.map(([, parameter]) => parameter) as [Tensor];
    first.requiresGrad = false;
    const before = await valuesIn(model);
    optimizer.step();
    optimizer.zeroGrad();
    loss().backward();
    ensure(first.grad === null, 'it has no gradient');
    optimizer.step();
    const after = await valuesIn(model);
    for (const [name, values] of before) {
      ensure((after.get(name) === values) === (name === parameters[0]?.[0]), `${name} is ${after.get(name)}`);
    }
    first.requiresGrad = true;
    loss().backward();
    optimizer.step();
    ensure((await valuesIn(model)).get('0.weight') !== before.get('0.weight'), 'it is trained again');
  });
}

test('a captured training step notices a frozen layer', () => {
  using model = network();
  const optimizer = new SGD(model.namedParameters(), { lr: 0.1 });
  using averages = new EMA(model, { decay: 0.5 });
  const step = (batch: Tensor, target: Tensor): Tensor => {
    const loss = crossEntropy(model.forward(batch), target);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    averages.update();
    return loss.detach();
  };
  using captured = capture(step);
  for (let i = 0; i < 4; i++) captured.run(x(), labels()).dispose();
  ensure(captured.replays, 'it replays');
  const layer = new Map(model.namedModules()).get('0') as Module;
  layer.setRequiresGrad(false);
  refuses(() => captured.run(x(), labels()), CaptureError, 'requiresGrad of a tensor [5, 3] is false and was true');
  layer.setRequiresGrad(true);
  captured.run(x(), labels()).dispose();
  layer.setRequiresGrad(false);
  using again = capture(step);
  for (let i = 0; i < 4; i++) again.run(x(), labels()).dispose();
  ensure(again.replays, 'a new capture has it frozen');
});
