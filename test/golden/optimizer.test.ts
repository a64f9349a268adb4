import { Adam, AdamW, clipGradNorm, SGD } from '@mien/nn';
import { type Tensor, zeros } from '@mien/tensor';
import { summed } from '@mien/tensor/reference';
import { near, nearValues } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { casesOf, expected, load, type Stored } from './golden.ts';
import optimizers from './optimizer.golden.json' with { type: 'json' };

type Both<Name extends string> = Readonly<Record<Name, Stored>>;

interface StepsCase extends Both<'w' | 'b'> {
  readonly name: string;
  readonly op: 'SGD' | 'Adam' | 'AdamW';
  readonly options: { readonly lr: number };
  readonly steps: readonly Both<'dw' | 'db' | 'w' | 'b'>[];
}

interface ClipCase extends Both<'dw' | 'db' | 'clippedW' | 'clippedB'> {
  readonly name: string;
  readonly op: 'clipGradNorm';
  readonly options: { readonly maximum: number };
  readonly norm: number;
}

const classes = { SGD, Adam, AdamW };

for (const each of casesOf<StepsCase | ClipCase>(optimizers)) {
  test(`${each.op} gives PyTorch's values ${each.name}`, () =>
    each.op === 'clipGradNorm' ? clips(each) : follows(each));
}

async function follows({ op, options, w, b, steps }: StepsCase): Promise<void> {
  const parameters: readonly [string, Tensor][] = [
    ['w', load(w, true)],
    ['b', load(b, true)],
  ];
  using optimizer = new classes[op](parameters, options);
  for (const [i, step] of steps.entries()) {
    for (const [name, parameter] of parameters) parameter.grad = load(step[`d${name}` as 'dw' | 'db']);
    optimizer.step();
    for (const [name, parameter] of parameters)
      await near(parameter, summed(expected(step[name as 'w' | 'b']), 6 * (i + 1)));
  }
  for (const [, parameter] of parameters) parameter.dispose();
}

async function clips({ options, dw, db, norm, clippedW, clippedB }: ClipCase): Promise<void> {
  const parameters = [dw, db].map((gradient) => {
    const parameter = zeros(gradient.shape, { requiresGrad: true });
    parameter.grad = load(gradient);
    return parameter;
  });
  const actual = clipGradNorm(parameters, options.maximum);
  nearValues([await actual.item()], summed([norm], 9));
  for (const [i, clipped] of [clippedW, clippedB].entries()) {
    await near(parameters[i]?.grad as Tensor, summed(expected(clipped), 9));
  }
  for (const each of [actual, ...parameters]) each.dispose();
}
