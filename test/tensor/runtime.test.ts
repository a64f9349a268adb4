import {
  DtypeError,
  device,
  empty,
  type Kernel,
  KernelError,
  kernel,
  LimitError,
  ones,
  run,
  zeros,
} from '@mien/tensor';
import { gridOf, paramLayout, specialize, splitRows } from '@mien/tensor/internal';
import { ensure, refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const limits = {
  maxComputeWorkgroupsPerDimension: 65_535,
  maxStorageBufferBindingSize: 1 << 27,
  maxBufferSize: 1 << 28,
  minStorageBufferOffsetAlignment: 256,
  subgroupSize: null,
  processor: false,
  shaderF16: false,
};

law(
  'gridOf covers the workgroups under any limit, with less than one extra row',
  fc.record({ groups: fc.integer({ min: 1, max: 4096 }), most: fc.integer({ min: 16, max: 99 }) }),
  ({ groups, most }) => {
    const [x, y, z] = gridOf('kernel', groups, { ...limits, maxComputeWorkgroupsPerDimension: most });
    ensure(x * y * z >= groups, `${x} x ${y} x ${z} does not cover ${groups}`);
    ensure(Math.max(x, y, z) <= most, `${x} x ${y} x ${z} is over ${most}`);
    ensure(x * y * z - groups < y * z, `${x} x ${y} x ${z} is ${x * y * z - groups} more than ${groups}`);
  },
);

test('gridOf launches 65,536 workgroups as two rows of 32,768', () => {
  const grid = (groups: number): string => gridOf('kernel', groups, limits).join(' x ');
  ensure(grid(65_535) === '65535 x 1 x 1', grid(65_535));
  ensure(grid(65_536) === '32768 x 2 x 1', grid(65_536));
  ensure(
    grid(65_535 ** 2 + 1) === '32768 x 65535 x 2' || grid(65_535 ** 2 + 1) === '65535 x 32768 x 2',
    grid(65_535 ** 2 + 1),
  );
});

test('gridOf refuses more workgroups than three dimensions hold', () => {
  refuses(
    () => gridOf('matmul', 1001, { ...limits, maxComputeWorkgroupsPerDimension: 10 }),
    LimitError,
    'matmul: 1001 workgroups',
  );
});

const splits = fc.record({
  rows: fc.integer({ min: 1, max: 5000 }),
  rowBytes: fc.array(
    fc.integer({ min: 1, max: 64 }).map((n) => 4 * n),
    { minLength: 1, maxLength: 3 },
  ),
});

const alignments = fc.constantFrom(4, 16, 32, 64, 256);
const vec4 = (bytes: number): number => Math.ceil(bytes / 16) * 16;

law(
  'splitRows covers every row once, in aligned parts within the limit that do not share a vec4',
  fc.record({ split: splits, alignment: alignments }),
  ({ split: { rows, rowBytes }, alignment }) => {
    const most = 1 << 16;
    const own = { ...limits, maxStorageBufferBindingSize: most, minStorageBufferOffsetAlignment: alignment };
    let next = 0;
    for (const { start, count } of splitRows('op', rows, rowBytes, own)) {
      ensure(start === next && count > 0, `a part starts at ${start}, expected ${next}`);
      next += count;
      for (const bytes of rowBytes) {
        ensure((start * bytes) % alignment === 0, `offset ${start * bytes} is not aligned`);
        ensure(vec4(count * bytes) <= most, `${count * bytes} bytes are over the limit`);
        const end = start * bytes + vec4(count * bytes);
        const allowed = next < rows ? next * bytes : vec4(rows * bytes);
        ensure(end <= allowed, `a part is bound up to ${end}, the next begins or the buffer ends at ${allowed}`);
      }
    }
    ensure(next === rows, `${next} rows of ${rows}`);
  },
);

test('specialize sets consts and aliases by name and refuses unknown names', () => {
  const text = 'alias real = f32;\nconst LANES: u32 = 64;\nconst LANES_TWICE = LANES * 2;\n';
  const set = specialize('k', text, { LANES: 32, real: 'f16' }, ['fn helper() {}']);
  ensure(set.startsWith('enable f16; alias real = f16;\nconst LANES: u32 = 32;\nconst LANES_TWICE = LANES * 2;'), set);
  ensure(set.endsWith('fn helper() {}'), 'expected libraries last');
  refuses(() => specialize('k', text, { TILE: 1 }, []), KernelError, 'k: no top-level const or alias named TILE');
});

test('paramLayout follows the rules of WGSL for uniform buffers', () => {
  const layout = paramLayout('k', 'struct Params { a: u32, b: vec4u, c: f32, d: array<vec4i, 2>, e: vec2f }');
  const offsets = layout?.params.map(({ name, byteOffset }) => `${name} ${byteOffset}`).join(', ');
  ensure(offsets === 'a 0, b 16, c 32, d 48, e 80', String(offsets));
  ensure(layout?.bytes === 96, String(layout?.bytes));
});

const copy = kernel(`struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn copyOne() { if (params.size > 0) { y[0] = x[0]; } }
`);

test('run refuses unknown and missing names', () => {
  const [x, y] = [ones([1]), empty([1])];
  refuses(() => run(copy, { x }, { size: 1 }, 1), KernelError, 'copyOne: binding y is missing; pass a tensor');
  refuses(() => run(copy, { x, y, z: x }, { size: 1 }, 1), KernelError, 'copyOne: no binding named z');
  refuses(() => run(copy, { x, y }, {}, 1), KernelError, 'copyOne: params lack size');
  refuses(() => run(copy, { x, y }, { size: 1, count: 2 }, 1), KernelError, 'copyOne: no param named count');
  refuses(() => run(copy, { x, y }, { size: 1 }, 0), KernelError, 'copyOne: groups must be a positive integer, got 0');
});

const broken = kernel(`@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn brokenKernel() { y[0] = missing; }
`);

test('a kernel that does not compile fails every read of its result, with the line number, and no other read', async () => {
  const [y, other] = [empty([1]), ones([1])];
  run(broken, { y }, {}, 1);
  ensure((await other.item()) === 1, 'a read of another tensor');
  for (const x of [y, y, y.detach(), y.mul(2)]) {
    const message = await x.data().then(String, String);
    ensure(message.includes('KernelError: brokenKernel: does not compile: line 3'), message);
  }
});

test('empty refuses a tensor over the buffer limit before it allocates', () => {
  refuses(() => empty([2 ** 20, 2 ** 20]), LimitError, 'over this adapter');
});

const wgslOf: Readonly<Record<string, string>> = { float32: 'f32', int32: 'i32', uint32: 'u32' };

test('run refuses a tensor of another dtype than its binding, and accepts any for bits and structs', async () => {
  const types: Readonly<Record<string, readonly string[]>> = {
    float32: [
      'array<f32>',
      'array<vec4f>',
      'array<vec2<f32>>',
      'array<real>',
      'array<vec4<real>>',
      'array<f32, 4>',
      'f32',
    ],
    int32: ['array<i32>', 'array<vec4i>', 'array<atomic<i32>>', 'array<vec3<i32>>'],
    uint32: ['array<u32>', 'array<vec4u>', 'array<atomic<u32>>', 'atomic<u32>'],
    any: ['array<bits>', 'array<vec4<bits>>', 'array<Pair>', 'Pair'],
  };
  const taking = (type: string, i: number): Kernel =>
    kernel(`alias real = f32;
alias bits = u32;
struct Pair { a: f32, b: u32 }
@group(0) @binding(1) var<storage, read_write> x: ${type};
@compute @workgroup_size(1)
fn taking${i}() { let y = &x; }`);
  const dtypes = ['float32', 'int32', 'uint32', 'bool'] as const;
  let made = 0;
  for (const [wanted, all] of Object.entries(types)) {
    for (const type of all) {
      const form = taking(type, made++);
      for (const dtype of dtypes) {
        const dispatch = (): void => run(form, { x: zeros([4], { dtype }) }, {}, 1);
        const same = wanted === 'any' || wanted === dtype || (wanted === 'uint32' && dtype === 'bool');
        if (same) dispatch();
        else refuses(dispatch, DtypeError, `taking${made - 1}: binding x expects ${wgslOf[wanted]}, got ${dtype}`);
      }
    }
  }
  await device().synchronize();
});
