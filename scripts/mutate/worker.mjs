// @ts-nocheck
// The process that runs cases while a mutant is in force. Its parent counts and kills it where a mutant never ends, so that
// neither a loop on the device nor a crash in a driver ends the campaign.
import { pathToFileURL } from 'node:url';

const [bundle, adapter] = process.argv.slice(2);
const { currentDevice, files, init, kernels, loadCases, withKernelText } = await import(pathToFileURL(bundle).href);
await init(adapter ? { adapter } : {});
const cases = await loadCases(files);
const skipped = [];
for (const { skip } of cases) skipped.push((typeof skip === 'function' ? await skip() : skip) !== undefined);

/** Entry points dispatched and formulas run since it was cleared. */
const seen = new Set();
globalThis.mienProbe = (place) => seen.add(place);
const dispatch = currentDevice().dispatch.bind(currentDevice());
currentDevice().dispatch = (kernel, ...rest) => {
  seen.add(kernel.name);
  dispatch(kernel, ...rest);
};

process.on('message', async ({ mutant, run }) => {
  for (const index of run) {
    process.send({ started: index });
    seen.clear();
    const start = performance.now();
    const reason = await (mutant ? withMutant(mutant, () => attempt(index)) : attempt(index));
    const milliseconds = Math.round(performance.now() - start);
    process.send({ ended: index, reason, milliseconds, places: [...seen] });
    if (reason !== null && mutant) break;
  }
  process.send({ idle: true });
});

process.send({
  ready: cases.map(({ record: { file, name } }, index) => ({ file, name, skipped: skipped[index] })),
  adapter: currentDevice().facts.name,
  driver: currentDevice().facts.description,
  kernels: kernels().length,
});

/** Runs one case; gives null where it passes, else why it failed. */
async function attempt(index) {
  try {
    await cases[index].run({ shrink: false });
    return null;
  } catch (reason) {
    return `${reason?.name ?? 'Error'}: ${reason?.message ?? reason}`;
  }
}

async function withMutant({ id, name, text }, fn) {
  if (text === undefined) {
    globalThis.mienMutant = id;
    try {
      return await fn();
    } finally {
      globalThis.mienMutant = null;
    }
  }
  return withKernelText((kernel, own) => (kernel === name ? text : own), fn);
}
