// Modules in arrays, plain objects, Maps and Sets: found by PyTorch's names, or refused by name.
import { Dropout, Linear, Module, parameter, Sequential, SGD, StateError } from '@mien/nn';
import { keep, ones, type Tensor, tensor } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

/** A module with one field. */
class Holder extends Module {
  readonly held: unknown;
  constructor(held: unknown) {
    super();
    this.held = held;
  }
  forward(): void {}
}

interface Nest {
  readonly value: unknown;
  /** The names of the parameters below it. */
  readonly names: readonly string[];
}

/** Containers to a depth of four, with parameters and layers as leaves. */
const nests = fc.letrec<{ nest: Nest; leaf: Nest }>((tie) => {
  const inside = (entries: readonly (readonly [string, Nest])[], value: unknown): Nest => ({
    value,
    names: entries.flatMap(([key, { names }]) => names.map((name) => `.${key}${name}`)),
  });
  const list = fc.array(tie('nest'), { minLength: 1, maxLength: 3 });
  const numbered = (items: readonly Nest[]) => items.map((item, i) => [String(i), item] as const);
  const named = (items: readonly Nest[]) => items.map((item, i) => [`layer_${i}`, item] as const);
  const values = (items: readonly (readonly [string, Nest])[]) =>
    items.map(([key, { value }]) => [key, value] as const);
  return {
    leaf: fc
      .constantFrom('parameter', 'layer')
      .map((kind) =>
        kind === 'parameter'
          ? { value: parameter(ones([2])), names: [''] }
          : { value: new Linear(1, 1), names: ['.weight', '.bias'] },
      ),
    nest: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      tie('leaf'),
      list.map((items) =>
        inside(
          numbered(items),
          items.map(({ value }) => value),
        ),
      ),
      list.map((items) => inside(numbered(items), new Set(items.map(({ value }) => value)))),
      list.map((items) => inside(named(items), new Map(values(named(items))))),
      list.map((items) => inside(named(items), Object.fromEntries(values(named(items))))),
      list.map((items) => {
        const { value, names } = inside(named(items), Object.fromEntries(values(named(items))));
        return { value: new Holder(value), names: names.map((name) => `.held${name}`) };
      }),
    ),
  };
});

law(
  'parameters are found in arrays, Sets, Maps, plain objects and modules, nested in any order',
  nests.nest,
  ({ value, names }) => {
    const holder = new Holder(value);
    const expected = names.map((name) => `held${name}`).join(' ');
    const actual = holder.namedParameters().map(([name]) => name);
    ensure(actual.join(' ') === expected, `${actual.join(' ')}, expected ${expected}`);
    ensure([...holder.stateDict().keys()].join(' ') === expected, 'the state dict has the same names');
    holder.eval();
    ensure(
      holder.namedModules().every(([, module]) => !module.training),
      'eval reaches every module',
    );
  },
);

test('layers in nested arrays and in plain objects are trained, saved and switched to evaluation', async () => {
  class Net extends Module {
    readonly hidden = [[new Linear(2, 2), new Dropout(0.5)], [new Linear(2, 2)]];
    readonly heads = { happyFace: new Linear(2, 1) };
    readonly byName = new Map([['leftEye', new Linear(2, 1)]]);
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  const net = new Net();
  const names = net
    .namedParameters()
    .map(([name]) => name)
    .join(' ');
  const expected = [
    ...['hidden.0.0.weight', 'hidden.0.0.bias', 'hidden.1.0.weight', 'hidden.1.0.bias'],
    ...['heads.happy_face.weight', 'heads.happy_face.bias', 'by_name.leftEye.weight', 'by_name.leftEye.bias'],
  ];
  ensure(names === expected.join(' '), names);
  net.eval();
  ensure(net.hidden[0]?.[1]?.training === false, 'eval reaches the dropout');
});

test('modules that refer to each other are visited once', () => {
  class Child extends Module {
    readonly weight: Tensor = parameter(ones([1]));
    parent: Module | null = null;
    forward(): void {}
  }
  const child = new Child();
  const holder = new Holder([child]);
  child.parent = holder;
  ensure(
    holder
      .namedParameters()
      .map(([name]) => name)
      .join() === 'held.0.weight',
    'the child once',
  );
  ensure(
    child
      .namedParameters()
      .map(([name]) => name)
      .join() === 'weight',
    'from the child too',
  );
  const self: unknown[] = [new Linear(1, 1)];
  self.push(self);
  ensure(new Holder(self).parameters().length === 2, 'a list that holds itself');
});

test('hidden modules and parameters are refused by name, unless they are also in a field', () => {
  class Block {
    readonly layer: Linear = new Linear(1, 1);
  }
  const hidden = new Holder([new Block()]);
  refuses(() => hidden.parameters(), StateError, 'Holder: held.0.layer is inside an object of class Block');
  refuses(() => hidden.eval(), StateError, 'held.0.layer');
  const layer = new Linear(1, 1);
  const trained = new Holder({ layer, optimizer: new SGD(layer.namedParameters(), { lr: 1 }) });
  ensure(trained.parameters().length === 2, 'an optimizer of parameters that are found');
});

test('ambiguous names are refused', () => {
  const tensors = (): [Tensor, Tensor] => [parameter(ones([1])), parameter(ones([1]))];
  refuses(() => new Holder(new Map([['a.b', new Linear(1, 1)]])).stateDict(), StateError, "held has the key 'a.b'");
  const [a, b] = tensors();
  refuses(
    () => new Holder({ innerWeight: a, inner_weight: b }).stateDict(),
    StateError,
    'Holder: two fields are named held.inner_weight in state dicts',
  );
  ensure(new Holder(new Map([['a.b', 3]])).stateDict().size === 0, 'other values may have any key');
});

test('the result of an operation in a field is not a parameter', () => {
  const layer = new Linear(2, 2);
  const holder = new Holder({ layer, last: keep(layer.forward(tensor([[1, 2]]))) });
  ensure(holder.parameters().length === 2, String(holder.namedParameters().map(([name]) => name)));
  ensure(holder.stateDict().size === 2, 'and is not saved');
});

test('Sequential refuses values that are not layers', () => {
  refuses(
    () => new Sequential([new Linear(1, 1)] as never),
    StateError,
    'Sequential: layer 0 must be a Module with forward()',
  );
});
