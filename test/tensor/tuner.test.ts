import {
  capture,
  deleteTuned,
  init,
  kernel,
  listTuned,
  ones,
  profile,
  run,
  scope,
  type Tensor,
  tune,
  tuning,
  zeros,
} from '@mien/tensor';
import { declareAlgorithms, storedNames, writeText } from '@mien/tensor/internal';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { changeKept, withOwnStore } from './tunerKit.ts';

/** A product that at least two algorithms fit. */
const product = (): Tensor => scope(() => ones([32, 24]).matmul(ones([24, 16])));

/** The kernels of the product with the current choices. */
async function kernelsOf(): Promise<string> {
  const { spans } = await profile(async () => {
    const y = product();
    await y.data();
    y.dispose();
  });
  return spans.map(({ kernel }) => kernel).join(' ');
}

/** Runs `use` and returns the warnings. */
async function warningsOf(use: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const { warn } = console;
  console.warn = (line: string) => lines.push(line);
  try {
    await use();
  } finally {
    console.warn = warn;
  }
  return lines;
}

test('tune times the algorithms of operations in a function once, and the winners are loaded again', () =>
  withOwnStore(async () => {
    const progress: string[] = [];
    const results = await tune(product, { onProgress: (done, total) => progress.push(`${done} of ${total}`) });
    ensure(
      results.length === 1 && progress.join() === '1 of 1',
      `${results.length} results, progress ${progress.join()}`,
    );
    const [{ operation, shape, algorithm, seconds, fixedSeconds, algorithms, calls, known }] = results as [
      (typeof results)[0],
    ];
    ensure(operation === 'matmul' && shape === '32/1x16x32' && calls === 1 && !known, `${operation} ${shape} ${calls}`);
    ensure(seconds > 0 && seconds <= fixedSeconds && algorithms[algorithm] === seconds, JSON.stringify(results));
    ensure(tuning(), 'expected the winners');
    await init({ tune: false });
    ensure(!tuning(), 'expected fixed choices again');
    await init({ tune: true });
    const again = await tune(product);
    ensure(
      again[0]?.known === true && again[0].algorithm === algorithm && again[0].seconds === seconds,
      JSON.stringify(again),
    );
  }));

test('tune off reads nothing: saved winners are used only if the tuner is on', () =>
  withOwnStore(async () => {
    await init({ tune: false });
    const fixed = await kernelsOf();
    ensure(!fixed.includes('matmulNaive'), `the fixed choice is ${fixed}`);
    await tune(product);
    await changeKept((entry) => {
      entry.way = 'naive';
    });
    const on = await kernelsOf();
    ensure(on.includes('matmulNaive'), `with the tuner on it ran ${on}`);
    await init({ tune: false });
    const off = await kernelsOf();
    ensure(off === fixed, `with the tuner off it ran ${off}`);
    await init();
    ensure(!tuning(), 'expected init without options to keep it');
  }));

test('tune forgets a winner whose kernels have changed since', () =>
  withOwnStore(async () => {
    await tune(product);
    await changeKept((entry) => {
      entry.way = 'naive';
      entry.hash = '00000000';
    });
    const ran = await kernelsOf();
    ensure(!ran.includes('matmulNaive'), ran);
    ensure((await listTuned())[0]?.entries.length === 0, 'expected no entry');
    ensure((await tune(product))[0]?.known === false, 'expected a new timing');
  }));

test('listTuned and deleteTuned report and delete saved winners by adapter', () =>
  withOwnStore(async () => {
    ensure((await listTuned()).length === 0, 'nothing at first');
    const [result] = await tune(product);
    const [saved, ...others] = await listTuned();
    ensure(others.length === 0 && saved?.entries.length === 1, JSON.stringify(saved));
    ensure(saved.adapter.includes((await init()).facts.name), saved.adapter);
    ensure(saved.entries[0]?.seconds === result?.seconds, 'expected the measured time');
    ensure((await deleteTuned()) === 1, 'one result');
    ensure((await listTuned()).length === 0 && !tuning(), 'expected an empty list and fixed choices');
  }));

test('tune ignores a damaged store with one warning, and rewrites it', () =>
  withOwnStore(async () => {
    await tune(product);
    const [name] = (await storedNames()) as [string];
    for (const text of ['{"version": 1, "adap', '{"version":1,"adapter":"x","entries":[{"operation":"matmul"}]}']) {
      await init({ tune: false });
      await writeText(name, text);
      ensure((await warningsOf(() => init())).length === 0, 'expected no reads when off');
      const fixed = await kernelsOf();
      await warningsOf(() => init({ tune: true }));
      ensure(tuning() && (await kernelsOf()) === fixed, 'expected fixed choices');
      ensure((await listTuned()).length === 0, 'expected an empty list');
    }
    await writeText('another', 'no JSON');
    const lines = await warningsOf(() => listTuned().then(listTuned));
    ensure(
      lines.filter((line) => /stored results another are damaged.*mien tune --delete/.test(line)).length === 1,
      lines.join('\n'),
    );
    await tune(product);
    ensure((await listTuned())[0]?.entries.length === 1, 'expected a valid store');
  }));

/** A kernel that is in no driver's cache and compiles slowly. */
const text = (statements: number): string => `@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn tuned() {
${Array.from({ length: statements }, (_, i) => `  y[${i % 4}] = sin(y[${(i + 1) % 4}] + ${performance.timeOrigin + i}) * cos(y[${i % 3}]);`).join('\n')}
}
`;
const quick = kernel(text(1));
const late = kernel(text(600));
type Touch = (y: Tensor) => void;
const touches = declareAlgorithms<number, Touch>(
  'touchForTest',
  {
    cacheKey: (size) => `${size}`,
    prepare: (size) => {
      const y = ones([size]);
      return { operands: [y], run: (algorithm) => algorithm(y) };
    },
  },
  [
    { name: 'late', fits: () => true, isPreferred: () => false, run: (y) => run(late, { y }, {}, 1) },
    { name: 'quick', fits: () => true, run: (y) => run(quick, { y }, {}, 1) },
  ],
);

test('tune skips an algorithm whose kernels do not compile in time', () =>
  withOwnStore(async () => {
    const touch = async (): Promise<void> => {
      const y = zeros([4]);
      touches.run(4, (await init()).limits, (run) => run(y));
      y.dispose();
    };
    const [result] = await tune(touch, { secondsToCompile: 0 });
    ensure(result?.algorithm === 'quick' && result.algorithms.late === null, JSON.stringify(result));
  }));

test('tune refuses to run in a captured function, and an invalid time limit', async () => {
  const attempts: Promise<unknown>[] = [];
  using captured = capture(() => {
    attempts.push(tune(product));
    return zeros([1]);
  });
  captured.run().dispose();
  const sentences: string[] = [];
  for (const refused of [attempts[0], tune(product, { secondsToCompile: Number.NaN })]) {
    await Promise.resolve(refused).catch((reason: unknown) => sentences.push(String(reason)));
  }
  ensure(sentences[0]?.startsWith('CaptureError: tune: it reads times on the host') === true, sentences[0] ?? 'none');
  ensure(
    sentences[1]?.startsWith('ValueError: tune: secondsToCompile must be a number of at least 0, got NaN') === true,
    sentences[1] ?? 'none',
  );
});
