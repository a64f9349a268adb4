// Dimensions added, removed, merged and divided.
import { ShapeError, tensor, ValueError, zeros } from '@mien/tensor';
import { storageOf } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, gradgradcheck, near, refuses, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

/** Shapes with some sizes of 1, and a dimension counted from either end. */
const cases = shapes({ minRank: 1, maxRank: 4, maxSize: 300 }).chain((shape) =>
  fc.record({
    ones: fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
    dim: fc.nat(shape.length - 1),
    end: fc.nat(shape.length - 1),
    fromBack: fc.boolean(),
    seed: valuesOf(shape),
  }),
);

law(
  'squeeze equals its reference, gradient included, for any dims',
  cases.chain(({ ones, seed, dim }) => {
    const shape = seed.shape.map((size, d) => (ones[d] ? 1 : size));
    return fc.record({ x: valuesOf(shape), dim: fc.constant(dim) });
  }),
  async ({ x, dim }) => {
    await near(toTensor(x).squeeze(), reference.squeeze(x));
    await near(toTensor(x).squeeze(dim - x.shape.length), reference.squeeze(x, [dim]));
    await near(toTensor(x).squeeze([dim]), reference.squeeze(x, [dim]));
    await gradcheck(
      (v) => v.squeeze().square(),
      (v) => reference.square(reference.squeeze(v)),
      [x],
    );
  },
);

law('unsqueeze equals its reference, gradient included', cases, async ({ seed: x, dim, fromBack }) => {
  const at = fromBack ? dim - x.shape.length - 1 : dim;
  await near(toTensor(x).unsqueeze(at), reference.unsqueeze(x, dim));
  await near(toTensor(x).unsqueeze(-1), reference.unsqueeze(x, x.shape.length));
  await gradcheck(
    (v) => v.unsqueeze(at).square(),
    (v) => reference.square(reference.unsqueeze(v, dim)),
    [x],
  );
});

law(
  'flatten and unflatten equal their references, gradients included',
  cases,
  async ({ seed: x, dim, end, fromBack }) => {
    const [first, last] = [Math.min(dim, end), Math.max(dim, end)];
    const until = fromBack ? last - x.shape.length : last;
    const flat = reference.flatten(x, first, last);
    await near(toTensor(x).flatten(first, until), flat);
    await gradcheck(
      (v) => v.flatten(first, until).square(),
      (v) => reference.square(reference.flatten(v, first, last)),
      [x],
    );
    const sizes = x.shape.slice(first, last + 1);
    await near(toTensor(flat).unflatten(first, sizes), reference.unflatten(flat, first, sizes));
    await near(toTensor(flat).unflatten(first, sizes.with(0, -1)), reference.unflatten(flat, first, sizes));
    await gradcheck(
      (v) => v.unflatten(first, sizes).square(),
      (v) => reference.square(reference.unflatten(v, first, sizes)),
      [flat],
    );
  },
);

const small = valuesOf([1, 2, 3], { min: -1.5, max: 1.5 });
law('the second derivatives of squeeze and unsqueeze are those of their references', small, (x) =>
  gradgradcheck(
    (v) => v.squeeze(0).unsqueeze(1).square(),
    (v) => reference.square(reference.unsqueeze(reference.squeeze(v, [0]), 1)),
    [x],
  ),
);

law('the second derivatives of flatten and unflatten are those of their references', small, (x) =>
  gradgradcheck(
    (v) => v.flatten(1).unflatten(1, [3, 2]).square(),
    (v) => reference.square(reference.unflatten(reference.flatten(v, 1, 2), 1, [3, 2])),
    [x],
  ),
);

test('flatten, unflatten, squeeze and unsqueeze accept every dtype and share the memory', async () => {
  for (const dtype of ['int32', 'uint32', 'bool'] as const) {
    const x = tensor([[1], [0]], { dtype });
    for (const y of [x.flatten(), x.squeeze(), x.unsqueeze(0), x.unflatten(0, [2, 1])]) {
      ensure(y.dtype === dtype && storageOf(y) === storageOf(x), `${y} is not a view of ${dtype}`);
    }
  }
  await near(tensor(3).flatten(), reference.values([1], [3]));
  await near(tensor(3).squeeze(), reference.values([], [3]));
  await near(tensor(3).unsqueeze(-1), reference.values([1], [3]));
});

test('flatten, unflatten, squeeze and unsqueeze refuse invalid arguments', () => {
  const x = zeros([2, 3]);
  refuses(() => x.squeeze(2), ValueError, 'squeeze: dim must be an integer from -2 to 1, got 2');
  refuses(() => x.unsqueeze(3), ValueError, 'unsqueeze: dim must be an integer from -3 to 2, got 3');
  refuses(() => x.flatten(1, 0), ShapeError, 'flatten: expected startDim up to endDim, got 1 and 0 (x [2, 3])');
  const message = 'unflatten: expected sizes whose product is 3, the size of dim 1 of [2, 3], got ';
  for (const sizes of [[2, 2], [-1, 2], [-1, -1], [], [3, -3]]) {
    refuses(() => x.unflatten(1, sizes), ShapeError, `${message}[${sizes.join(', ')}]; one may be -1`);
  }
});
