// A user-defined WGSL kernel with its gradient, and the laws that prove both; then the same kernel broken, and what the
// law prints.
import { empty, init, type Kernel, kernel, record, run, type Tensor } from '@mien/tensor';
import { ulps, type Values, within } from '@mien/tensor/reference';
import { gradcheck, law, near, shapes, toTensor, valuesOf } from '@mien/tensor/testing';

await init();

const text = `// y[i] = log(1 + exp(x[i])), in a form that does not overflow.
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn softplus(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.size) { return; }
  let v = x[id.x];
  y[id.x] = max(v, 0.0) + log(1.0 + exp(-abs(v)));
}
`;

/** An operation: runs the kernel and records its gradient. */
function operation(forward: Kernel): (x: Tensor) => Tensor {
  return (x) => {
    const y = empty(x.shape);
    run(forward, { x, y }, { size: x.size }, Math.ceil(x.size / 64));
    return record('softplus', y, { x }, { saves: { x }, backward: (dy, saved) => ({ x: dy.mul(saved.x.sigmoid()) }) });
  };
}

/** The definition in float64, with the error bound in float32: 2^-21 of log in WGSL near 1, and one rounding of the sum. */
const definition = (x: Values): Values =>
  within({ shape: x.shape, data: x.data.map((v) => Math.log(1 + Math.exp(v))) }, (y) => 2 ** -21 + ulps(1, y));

const cases = shapes({ maxRank: 3, maxSize: 500 }).chain((shape) => valuesOf(shape, { min: -9, max: 9 }));

function laws(softplus: (x: Tensor) => Tensor) {
  return [
    law('softplus equals its definition', cases, (x) => near(softplus(toTensor(x)), definition(x))),
    law('the gradient of softplus is the derivative of its definition', cases, (x) =>
      gradcheck(softplus, definition, [x]),
    ),
  ];
}

for (const check of laws(operation(kernel(text)))) {
  const { name, runs, worst } = await check();
  console.log(`${name}: ${runs} cases, worst error ${worst.toFixed(3)} of its tolerance`);
}

// With a wrong sign, the law prints the smallest failing case.
const broken = operation(kernel(text.replace('-abs(v)', 'abs(v)')));
const [brokenLaw] = laws(broken);
const message = await brokenLaw?.().catch(String);
console.log(`\nthe broken kernel:\n${message}\n`);
console.log(
  String(message).includes('--seed')
    ? 'the law holds for the kernel and refuses the broken one'
    : 'the broken kernel passed',
);
