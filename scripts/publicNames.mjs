// What @mien/tensor and @mien/nn export, read from their index.ts and the files that it names, and the methods of Tensor.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './workspace.mjs';

/**
 * Every exported function and class: `{ name, method, kind, file, documented }`. The kind follows from the place: operation
 * (ops/, methods of Tensor, losses), layer, optimizer, schedule, error or other.
 */
export function publicNames() {
  return [...exportsOf('packages/tensor/src/index.ts'), ...exportsOf('packages/nn/src/index.ts'), ...methodsOfTensor()];
}

function exportsOf(index) {
  const text = withoutComments(readFileSync(join(root, index), 'utf8'));
  const found = [];
  for (const [, list, from] of text.matchAll(/^export (\{[^}]*\}|\*) from '([^']+)';/gm)) {
    const file = join(dirname(index), from).replaceAll('\\', '/');
    const names = list === '*' ? declaredIn(file) : list.slice(1, -1).split(',');
    for (const name of names.map((each) => each.trim()).filter((each) => each && !each.startsWith('type '))) {
      const declaration = declarationOf(file, name.split(' as ')[0]);
      if (declaration) found.push({ name: name.split(' as ').at(-1), method: false, file, ...declaration });
    }
  }
  return found;
}

function declaredIn(file) {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^export (?:abstract )?(?:class|function) (\w+)/gm)].map(([, name]) => name);
}

/** Null for what is neither a function nor a class. */
function declarationOf(file, name) {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  const at = lines.findIndex((line) =>
    new RegExp(`^export (?:async function\\*?|function|(?:abstract )?class|const) ${name}\\b`).test(line),
  );
  if (at < 0) return null;
  return { kind: kindOf(file, lines[at]), documented: isDocumented(lines, at) };
}

function kindOf(file, line) {
  if (file.endsWith('/errors.ts')) return 'error';
  if (file.includes('/ops/') && !/matmulPrecision/.test(file)) return 'operation';
  if (file.endsWith('/losses.ts')) return 'operation';
  if (file.includes('/layers/')) return 'layer';
  if (file.includes('/optim/') && /class (?!Optimizer)/.test(line)) return 'optimizer';
  if (file.endsWith('/schedulers.ts')) return 'schedule';
  return 'other';
}

function methodsOfTensor() {
  return [
    ...methodsOf('packages/tensor/src/runtime/tensorBase.ts', 'export abstract class TensorBase'),
    ...methodsOf('packages/tensor/src/tensor.ts', 'export class Tensor'),
  ];
}

function methodsOf(file, declaration) {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  const found = [];
  for (let at = lines.findIndex((line) => line.startsWith(declaration)); !lines[at].startsWith('}'); at++) {
    const name = /^ {2}(?:async )?([a-z]\w*)\(.*\{$/.exec(lines[at])?.[1];
    if (!name || name === 'constructor') continue;
    const kind = /\): (Tensor|this) \{$/.test(lines[at]) && name !== 'detach' ? 'operation' : 'other';
    found.push({ name, method: true, file, kind, documented: isDocumented(lines, at) });
  }
  return found;
}

function isDocumented(lines, at) {
  return /\*\/$/.test(lines[at - 1]?.trim() ?? '') || /^\s*\/\*\*.*\*\/\s*\S/.test(lines[at]);
}

function withoutComments(text) {
  return text.replace(/^\s*\/\/.*$/gm, '');
}
