// The tuner compares device times and ignores the host's encoding time.
import { device, kernel, ones, run, type Tensor, tune, zeros } from '@mien/tensor';
import { declareAlgorithms } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { withOwnStore } from './tunerKit.ts';

const trips = kernel(`struct Params { trips: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn tripsForTest() { for (var i = 0u; i < params.trips; i++) { y[0] = fract(y[0] + 0.25); } }
`);

/** An algorithm that keeps the host busy for some milliseconds, and the device for some loop iterations. */
const busy =
  (milliseconds: number, count: number) =>
  (y: Tensor): void => {
    for (const start = performance.now(); performance.now() - start < milliseconds; );
    run(trips, { y }, { trips: count }, 1);
  };

const algorithms = declareAlgorithms<number, (y: Tensor) => void>(
  'clockForTest',
  {
    cacheKey: (size) => `${size}`,
    prepare: (size) => {
      const y = ones([size]);
      return { operands: [y], run: (algorithm) => algorithm(y) };
    },
  },
  [
    { name: 'slowOnDevice', fits: () => true, run: busy(0, 100_000) },
    { name: 'slowOnHost', fits: () => true, run: busy(1, 25_000) },
  ],
);

const stamps = device().facts.features.includes('timestamp-query') ? {} : { skip: 'the adapter has no timestamps' };

test(
  'tune prefers the algorithm that is faster on the device, however long the host takes to encode it',
  () =>
    withOwnStore(async () => {
      const y = zeros([4]);
      const [result] = await tune(() => algorithms.run(4, device().limits, (run) => run(y)));
      const { slowOnDevice, slowOnHost } = result?.algorithms ?? {};
      ensure(result?.algorithm === 'slowOnHost', JSON.stringify(result));
      ensure((slowOnHost ?? 1) < (slowOnDevice ?? 0), JSON.stringify(result));
    }),
  stamps,
);
