// `npm run bench` and `npm run bench:peers`: arithmetic, names of records, and the peers' networks.
import { createNetwork } from '@mien/fer';
import { Generator } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { PNG } from 'pngjs';
import { peerWork, ratioOf, ratioText } from '../../bench/compare.ts';
import { lineOf, names, selected, shareOf, shareOfCopy, shareOfPeak, slugOf } from '../../bench/main.ts';
import { type Measurement, measure, measurement, measureTogether, spread } from '../../bench/measure.ts';
import { flopsOf, networkOf } from '../../bench/networkCases.ts';
import { type NetworkName, parametersOf } from '../../bench/peers/networks.ts';
import { groupsOf, pictureOf } from '../../bench/picture.ts';
import { verdict, watched } from '../../bench/quiet.ts';
import { test } from '../harness.ts';

function expectEqual(found: unknown, expected: unknown): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
  ensure(left === right, `it is ${left}, expected ${right}`);
}

test('measurement gives the median rate, and the longest time as the least', () => {
  const { seconds, ...rate } = measurement('gemm/1', { flops: 6e9 }, [3000, 1000, 2000]);
  expectEqual(rate, { name: 'gemm/1', unit: 'GFLOP/s', median: 3, min: 2, max: 6 });
  expectEqual(seconds, { median: 2, min: 1, max: 3 });
  expectEqual(measurement('copy', { bytes: 6e9 }, [1000]).unit, 'GB/s');
  expectEqual(measurement('latency', {}, [4, 5]), { name: 'latency', unit: 'ms', median: 5, min: 4, max: 5 });
});

test('measure runs twice to warm and three times at least', async () => {
  let runs = 0;
  const run = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, runs++ < 2 ? 0 : 200));
  const { median } = await measure('wait', {}, run);
  ensure(runs === 5 && median > 150, `${runs} runs, a median of ${median} ms`);
});

test('measureTogether takes as many runs in one go as are long enough, and gives the time of one', async () => {
  const asked: number[] = [];
  const ofEach = async (seconds: number): Promise<Measurement> => {
    asked.length = 0;
    return await measureTogether('short', { flops: 2e6 }, async (times) => {
      asked.push(times);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { seconds: seconds * times, clock: 'device' };
    });
  };
  const short = await ofEach(0.001);
  expectEqual(asked.slice(0, 5), [1, 1, 4, 30, 30]);
  ensure(short.together === 30 && short.clock === 'device', JSON.stringify(short));
  expectEqual(short.median.toFixed(6), '2.000000');
  const long = await ofEach(0.04);
  ensure(asked.every((times) => times === 1) && long.together === undefined, `runs in one go: ${asked}`);
});

test('spread leaves its values as they were', () => {
  const values = [2, 1];
  expectEqual(spread(values), { median: 2, min: 1, max: 2 });
  expectEqual(values, [2, 1]);
});

test('ratioOf sets medians against each other, and the slowest against the fastest', () => {
  const ratio = ratioOf({ median: 1, min: 0.5, max: 2 }, { median: 10, min: 8, max: 12 });
  expectEqual(ratio, { median: 10, min: 4, max: 24 });
  expectEqual(ratioText(ratio), '10x (4.0 to 24)');
});

test('verdict says so when others were busy, and when the machine changed its pace', () => {
  const still = { busy: 0.01, pace: 20 };
  ensure(verdict(still, still, [0.02]).quiet, 'a quiet machine');
  ensure(verdict({ ...still, busy: 0.5 }, still, []).sentence.startsWith('BUSY: others used 50 %'), 'busy before');
  ensure(verdict(still, still, [0, 0.4]).sentence.includes('40 % during the run'), 'busy meanwhile');
  ensure(verdict(still, { ...still, pace: 30 }, []).sentence.startsWith('UNSTEADY'), 'another pace');
});

test('watched gives the result and a share', async () => {
  const { result, others } = await watched(async () => 7);
  ensure(result === 7 && !(others < 0 || others > 1), `${result}, others used ${others}`);
});

test('bench has the records that figures are stated for, each once, and those of the peers', () => {
  const passes = ['forward', 'inputGradient', 'weightGradient'];
  const stated = [
    ...['gemm/512', 'gemm/1024', 'copy', 'batchNorm/forward', 'batchNorm/backward', 'memory/vgg19/b128'],
    ...['conv64x44', 'conv128x22', 'conv512x5'].flatMap((layer) => passes.map((pass) => `${layer}/${pass}`)),
    ...['step/vgg19/b16', 'step/resnet18/b16', 'step/small/b128', 'step/nano/b128'],
    ...[
      'gemm/2048',
      'gemm/4096',
      'gemm/1024/workgroup',
      'conv64x44/forward/winograd4',
      'conv64x44/b128/weightGradient',
    ],
    ...['step/vgg19/b128', 'step/resnet18/b128', 'relu/forward/b128'],
    ...peerWork,
  ];
  const all = names();
  expectEqual(new Set(all).size, all.length);
  expectEqual(
    stated.filter((name) => !all.includes(name)),
    [],
  );
});

test('bench takes a whole name, a part of names, or the name of a group', () => {
  const chosen = (...filters: string[]): string[] => selected(filters).map(({ name }) => name);
  expectEqual(chosen('gemm/512'), ['gemm/512']);
  expectEqual(chosen('step/vgg19', 'copy'), ['copy', 'step/vgg19/b16']);
  ensure(chosen('elementwise').includes('batchNorm/forward'), 'the group elementwise');
  expectEqual(chosen('nothing of this name'), []);
  expectEqual(chosen('gemm/4096'), ['gemm/4096']);
  const large = selected([], true).filter((each) => each.large);
  ensure(!selected([]).some((each) => each.large), 'large cases without being asked for');
  ensure(large.length > 100, `${large.length} large cases`);
});

test('bench prints what is bound by memory as a share of the best copy', () => {
  const copy = measurement('copy', { bytes: 10e9 }, [1000]);
  const relu = measurement('relu/forward', { bytes: 9e9 }, [1000]);
  expectEqual(shareOfCopy(relu, [copy, relu]), '90 % of copy');
  expectEqual(shareOfCopy(relu, [relu]), '');
  ensure(lineOf({ ...relu, others: 0.5 }, [copy]).endsWith('BUSY: others used 50 % of the cores'), 'a busy line');
});

test('bench gives rates as a share of the peak, and of large activations only as that', () => {
  const peak = { flops: 10e9, bytes: 20e9 };
  const gemm = measurement('gemm/512', { flops: 4e9 }, [1000]);
  expectEqual(shareOfPeak(gemm, peak), 0.4);
  expectEqual(shareOfPeak(measurement('latency', {}, [1]), peak), null);
  ensure(lineOf({ ...gemm, ofPeak: 0.4 }, []).endsWith('40 % of peak'), 'a share of the peak');
  const copy = measurement('copy', { bytes: 20e9 }, [1000]);
  const [small, large] = ['relu/forward', 'relu/forward/b128'].map((name) =>
    measurement(name, { bytes: 10e9 }, [1000]),
  );
  expectEqual(shareOf({ ...(small as Measurement), ofPeak: 0.5 }, [copy]), '50 % of copy');
  expectEqual(shareOf({ ...(large as Measurement), ofPeak: 0.5 }, [copy]), '50 % of peak');
  expectEqual(slugOf('NVIDIA H100 80GB HBM3 (0.1)'), 'nvidia-h100-80gb-hbm3-0-1');
});

test('pictureOf draws a group for each kind of work', () => {
  const records: Measurement[] = [
    measurement('copy', { bytes: 1e9 }, [100, 200]),
    measurement('gemm/512', { flops: 1e9 }, [100, 200]),
    measurement('gemm/1024', { flops: 1e9 }, [300]),
  ];
  expectEqual(
    groupsOf(records).map(({ bars }) => bars.length),
    [1, 2],
  );
  const look = { busy: 0, pace: 1 };
  const [adapter, peak] = [
    { name: 'an adapter', description: '' },
    { flops: 1e9, bytes: 1e9 },
  ];
  const quiet = { quiet: true, before: look, after: look };
  const run = { adapter, date: new Date(0).toISOString(), node: '', quiet, peak, records, unfit: [], failures: [] };
  const { width, height } = PNG.sync.read(Buffer.from(pictureOf(run)));
  ensure(width > 1000 && height > 300, `${width} x ${height}`);
});

test('flopsOf counts two for each multiply-add of a forward pass', () => {
  using net = networkOf('nano');
  expectEqual((flopsOf(net, 'nano') / 1e6).toFixed(2), '2.63');
});

test('the networks that peers are given have the shapes of ours', () => {
  for (const name of ['vgg19', 'resnet18'] satisfies NetworkName[]) {
    using net = createNetwork(name, { classes: 7, channels: 3, generator: new Generator(1) });
    const ours = net.namedParameters().map(([, { shape }]) => shape);
    expectEqual(
      parametersOf(name).map(({ shape }) => shape),
      ours,
    );
  }
});
