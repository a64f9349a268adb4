// Each public function has its law, gradient law, second-order law, PyTorch's answer and docstring, or a stated reason.
// Laws are those that the test files register; the harness fails a case that does not call what its title names.
import { pathToFileURL } from 'node:url';
import { bundleForNode } from './bundle.mjs';
import { reasons } from './coverage.mjs';
import { publicNames } from './publicNames.mjs';
import { testFiles } from './testFiles.mjs';

/** What is asked of a kind; errors need a docstring only. */
const asked = {
  operation: ['law', 'gradient', 'second', 'pytorch'],
  layer: ['law'],
  optimizer: ['law', 'pytorch'],
  schedule: ['law', 'pytorch'],
  other: ['law'],
  error: [],
};

const remedies = {
  law: 'add a law or a test whose title begins with its name',
  gradient: 'add `the gradient of NAME is the derivative of its reference` (gradcheck)',
  second: 'add `the second derivative of NAME is that of its reference` (gradgradcheck)',
  pytorch: "add PyTorch's answers to test/golden (make.py)",
};

/** Problems, each with its remedy. */
export async function uncoveredFunctions() {
  return judge(publicNames(), await registeredClaims());
}

/** The table that `npm run check -- --coverage` prints: a line for each function. */
export async function coverageTable() {
  const [names, claims] = [publicNames(), await registeredClaims()];
  const cell = (name, what) => {
    const found = claims.get(name)?.[what];
    return found ? found[0].file : (reasonFor(what, name) ?? '-');
  };
  const lines = ['| function | law | gradient law | second-order law | PyTorch |', '|---|---|---|---|---|'];
  for (const { name, kind } of names.filter(({ kind }) => kind !== 'error')) {
    const cells = Object.keys(remedies).map((what) => (asked[kind].includes(what) ? cell(name, what) : ''));
    lines.push(`| \`${name}\` | ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

function reasonFor(what, name) {
  const of = (table) => Object.entries(table).find(([, list]) => list.split(' ').includes(name))?.[0];
  return of(reasons[what]) ?? (what === 'second' ? of(reasons.gradient) : undefined);
}

function judge(names, claims) {
  const problems = [];
  for (const { name, kind, file, documented } of names) {
    if (!documented) problems.push(`${name} (${file}): has no docstring`);
    for (const what of asked[kind]) {
      if (!claims.get(name)?.[what] && !reasonFor(what, name))
        problems.push(`${name} (${file}): ${remedies[what]}, or a reason to scripts/coverage.mjs (${what})`);
    }
  }
  for (const [what, table] of Object.entries(reasons)) {
    for (const name of Object.values(table).flatMap((list) => list.split(' '))) {
      const known = names.find((each) => each.name === name);
      if (!known || !asked[known.kind].includes(what) || claims.get(name)?.[what])
        problems.push(
          `scripts/coverage.mjs: remove ${name} from the reasons of ${what}; ${known ? 'it has that law' : 'it is not public'}`,
        );
    }
  }
  return problems;
}

/** By name of a function, the cases that the test files register and that claim something of it. */
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
  globalThis.UVU_DEFER = true;
  const bundle = await bundleForNode({ name: 'coverage.ts', contents }, 'coverage');
  const { cases } = await import(pathToFileURL(bundle).href);
  const found = new Map();
  for (const { file, claim } of await cases()) {
    for (const name of claim.names) {
      const of = found.get(name) ?? {};
      const note = (what) => {
        of[what] = [...(of[what] ?? []), { file }];
      };
      if (claim.values) note('law');
      if (claim.gradient) note('gradient');
      if (claim.second) note('second');
      if (claim.pytorch) note('pytorch');
      found.set(name, of);
    }
  }
  return found;
}
