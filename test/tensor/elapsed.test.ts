// The timer of benchmarks and of the tuner.
import { device, KernelError, kernel, run, type Tensor, zeros } from '@mien/tensor';
import { currentDevice } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const count = kernel(`struct Params { trips: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn countTrips() { for (var i = 0u; i < params.trips; i++) { y[0] = fract(y[0] + 0.25); } }
`);

/** Keeps the host busy for a number of milliseconds. */
function spin(milliseconds: number): void {
  for (const start = performance.now(); performance.now() - start < milliseconds; );
}

/** Long loops of one thread, in successive dispatches. */
function work(y: Tensor, dispatches: number): void {
  for (let i = 0; i < dispatches; i++) run(count, { y }, { trips: 100_000 }, 1);
}

const stamps = device().facts.features.includes('timestamp-query');

test('elapsed reports the time of the device, not of the host', async () => {
  const y = zeros([1]);
  await currentDevice().compile([count]);
  await currentDevice().elapsed(() => work(y, 1));
  const seconds = async (fn: () => void): Promise<number> => {
    const result = await currentDevice().elapsed(fn);
    ensure(result.clock === (stamps ? 'device' : 'host'), `the clock is the ${result.clock}'s`);
    return result.seconds;
  };
  // More commands than fit into a submit.
  const many = await seconds(() => work(y, 100));
  const few = await seconds(() => work(y, 5));
  ensure(many > 2 * few && few > 0, `100 dispatches took ${many} s, 5 took ${few} s`);
  const spun = await seconds(() => {
    spin(1000);
    work(y, 1);
    spin(1000);
  });
  ensure(stamps ? spun < 1 : spun > 2, `one dispatch between two seconds of the host took ${spun} s`);
});

test('elapsed restores its state when its function throws', async () => {
  const y = zeros([1]);
  let reason: unknown = null;
  await currentDevice()
    .elapsed(() => run(count, { y }, {}, 1))
    .catch((thrown: unknown) => {
      reason = thrown;
    });
  ensure(reason instanceof KernelError, `it threw ${reason}`);
  run(count, { y }, { trips: 1 }, 1);
  ensure((await y.data())[0] === 0.25, 'expected the device to keep working');
});
