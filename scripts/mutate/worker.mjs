// The process that runs cases with a mutant enabled. Its parent kills it if a mutant never ends, so that neither a loop on the device nor a
// crash in a driver ends the campaign.
import { pathToFileURL } from 'node:url';

const [bundle = '', adapter] = process.argv.slice(2);
/**
 * @type {typeof import('@mien/tensor') & typeof import('@mien/tensor/internal') & typeof import('../../test/harness.ts') & {
 *   files: import('../../test/harness.ts').TestFile[],
 * }}
 */
const { currentDevice, files, init, kernels, loadCases, withKernelText } = await import(pathToFileURL(bundle).href);
await init(adapter ? { adapter } : {});
const cases = await loadCases(files);
/** @type {boolean[]} */
const skipped = [];
for (const { skip } of cases) skipped.push((typeof skip === 'function' ? await skip() : skip) !== undefined);

/** Entry points dispatched and formulas run since it was cleared. @type {Set<string>} */
const places = new Set();
/** @type {typeof globalThis & { mienProbe?: (place: string) => void, mienMutant?: string | null }} */
const globals = globalThis;
globals.mienProbe = (place) => void places.add(place);
const dispatch = currentDevice().dispatch.bind(currentDevice());
currentDevice().dispatch = (kernel, ...rest) => {
  places.add(kernel.name);
  dispatch(kernel, ...rest);
};

process.on(
  'message',
  async (/** @type {{ mutant: import('./pool.mjs').MutantText | null, run: number[] }} */ { mutant, run }) => {
    for (const index of run) {
      process.send?.({ started: index });
      places.clear();
      const start = performance.now();
      const reason = await (mutant ? withMutant(mutant, () => attempt(index)) : attempt(index));
      const milliseconds = Math.round(performance.now() - start);
      process.send?.({ ended: index, reason, milliseconds, places: [...places] });
      if (reason !== null && mutant) break;
    }
    process.send?.({ idle: true });
  },
);

process.send?.({
  ready: cases.map(({ record: { file, name } }, index) => ({ file, name, skipped: skipped[index] })),
  adapter: currentDevice().facts.name,
  driver: currentDevice().facts.description,
  kernels: kernels().length,
});

/** Runs one case; returns null if it passes, else its error. @param {number} index */
async function attempt(index) {
  try {
    await cases[index]?.run({ shrink: false });
    return null;
  } catch (reason) {
    return reason instanceof Error ? `${reason.name}: ${reason.message}` : `Error: ${reason}`;
  }
}

/** @template T @param {import('./pool.mjs').MutantText} mutant @param {() => Promise<T>} fn */
async function withMutant({ id, name, text }, fn) {
  if (text === undefined) {
    globals.mienMutant = id;
    try {
      return await fn();
    } finally {
      globals.mienMutant = null;
    }
  }
  return withKernelText((kernel, original) => (kernel === name ? text : original), fn);
}
