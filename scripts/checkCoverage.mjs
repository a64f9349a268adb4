// Each public function has a law, a gradient law, a second-order law, a comparison with PyTorch and a docstring, or a stated reason. The
// test files register the laws; the harness fails a case that does not call the function in its title.
import { pathToFileURL } from 'node:url';
import { bundleForNode } from './bundle.mjs';
import { reasons } from './coverage.mjs';
import { publicNames } from './publicNames.mjs';
import { testFiles } from './testFiles.mjs';

/** @typedef {'law' | 'gradient' | 'second' | 'pytorch'} Requirement */
/** @typedef {Partial<Record<Requirement, string>>} Claims the test file that meets each requirement */

/** The requirements of each kind; errors need a docstring only. @type {Record<import('./publicNames.mjs').Kind, Requirement[]>} */
const required = {
  operation: ['law', 'gradient', 'second', 'pytorch'],
  layer: ['law'],
  optimizer: ['law', 'pytorch'],
  schedule: ['law', 'pytorch'],
  other: ['law'],
  error: [],
};

/** @type {Record<Requirement, string>} */
const remedies = {
  law: 'add a law or a test whose title begins with its name',
  gradient: 'add `the gradient of NAME is the derivative of its reference` (gradcheck)',
  second: 'add `the second derivative of NAME is that of its reference` (gradgradcheck)',
  pytorch: "add PyTorch's answers to test/golden (make.py)",
};

const requirements = /** @type {Requirement[]} */ (Object.keys(remedies));

/** Problems, each with its remedy. */
export async function uncoveredFunctions() {
  return gapsOf(publicNames(), await registeredClaims());
}

/** The table that `npm run check -- --coverage` prints: a line for each function. */
export async function coverageTable() {
  const [names, claims] = [publicNames(), await registeredClaims()];
  /** @param {string} name @param {Requirement} what */
  const cell = (name, what) => claims.get(name)?.[what] ?? reasonFor(what, name) ?? '-';
  const lines = ['| function | law | gradient law | second-order law | PyTorch |', '|---|---|---|---|---|'];
  for (const { name, kind } of names.filter(({ kind }) => kind !== 'error')) {
    const cells = requirements.map((what) => (required[kind].includes(what) ? cell(name, what) : ''));
    lines.push(`| \`${name}\` | ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

/** @param {Requirement} what @param {string} name @returns {string | undefined} */
function reasonFor(what, name) {
  /** @param {Readonly<Record<string, string>>} table */
  const of = (table) => Object.entries(table).find(([, list]) => list.split(' ').includes(name))?.[0];
  return of(reasons[what]) ?? (what === 'second' ? of(reasons.gradient) : undefined);
}

/**
 * Problems of public names without a claim or reason, and of reasons that are not needed.
 * @param {readonly import('./publicNames.mjs').PublicName[]} names
 * @param {ReadonlyMap<string, Claims>} claims
 */
function gapsOf(names, claims) {
  const problems = [];
  for (const { name, kind, file, documented } of names) {
    if (!documented) problems.push(`${name} (${file}): add a docstring`);
    for (const what of required[kind]) {
      if (!claims.get(name)?.[what] && !reasonFor(what, name))
        problems.push(`${name} (${file}): ${remedies[what]}, or a reason to scripts/coverage.mjs (${what})`);
    }
  }
  for (const what of requirements) {
    for (const name of Object.values(reasons[what]).flatMap((list) => list.split(' '))) {
      const known = names.find((each) => each.name === name);
      if (!known || !required[known.kind].includes(what) || claims.get(name)?.[what])
        problems.push(
          `scripts/coverage.mjs: remove ${name} from ${what}; it ${known ? 'has that law' : 'is not public'}`,
        );
    }
  }
  return problems;
}

/** The claims of all registered cases, by function. */
async function registeredClaims() {
  const files = testFiles([], 'node');
  const imports = files.map((path) => `  [${JSON.stringify(path)}, () => import(${JSON.stringify(`./${path}`)})],`);
  const contents = `
    import { init } from '@mien/tensor';
    import { loadCases } from './test/harness.ts';
    import { claimOf } from './test/titles.ts';
    const files = [\n${imports.join('\n')}\n];
    export async function cases() {
      await init();
      return (await loadCases(files)).map(({ record }) => ({ ...record, claim: claimOf(record.name) }));
    }`;
  Object.assign(globalThis, { UVU_DEFER: true });
  const bundle = await bundleForNode({ name: 'coverage.ts', contents }, 'coverage');
  /** @type {{ cases: () => Promise<{ file: string, claim: ReturnType<typeof import('../test/titles.ts').claimOf> }[]> }} */
  const { cases } = await import(pathToFileURL(bundle).href);
  /** @type {Map<string, Claims>} */
  const found = new Map();
  for (const { file, claim } of await cases()) {
    for (const name of claim.names) {
      const of = found.get(name) ?? {};
      /** @param {Requirement} what */
      const note = (what) => {
        of[what] ??= file;
      };
      // PyTorch's results and hostile inputs are few; a law has generated ones.
      const isLaw = !/^test\/(golden|hostile)\//.test(file);
      if (claim.values && isLaw) note('law');
      if (claim.gradient && isLaw) note('gradient');
      if (claim.second && isLaw) note('second');
      if (claim.pytorch) note('pytorch');
      found.set(name, of);
    }
  }
  return found;
}
