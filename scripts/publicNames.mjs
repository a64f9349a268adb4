// The functions and classes that @mien/tensor and @mien/nn export, and the methods of Tensor, read from the source.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './workspace.mjs';

/** @typedef {'operation' | 'layer' | 'optimizer' | 'schedule' | 'other' | 'error'} Kind by the file: methods of Tensor and losses are operations */
/** @typedef {{ readonly kind: Kind, readonly documented: boolean }} Declaration */
/** @typedef {Declaration & { readonly name: string, readonly method: boolean, readonly file: string }} PublicName */

/** Every exported function and class. @returns {PublicName[]} */
export function publicNames() {
  return [...exportsOf('packages/tensor/src/index.ts'), ...exportsOf('packages/nn/src/index.ts'), ...methodsOfTensor()];
}

/** @param {string} index */
function exportsOf(index) {
  const text = withoutComments(readFileSync(join(root, index), 'utf8'));
  /** @type {PublicName[]} */
  const found = [];
  for (const [, list = '', from = ''] of text.matchAll(/^export (\{[^}]*\}|\*) from '([^']+)';/gm)) {
    const file = join(dirname(index), from).replaceAll('\\', '/');
    const names = list === '*' ? declaredIn(file) : list.slice(1, -1).split(',');
    for (const name of names.map((each) => each.trim()).filter((each) => each && !each.startsWith('type '))) {
      const declaration = declarationOf(file, name.replace(/ as .*/, ''));
      if (declaration) found.push({ name: name.replace(/.* as /, ''), method: false, file, ...declaration });
    }
  }
  return found;
}

/** @param {string} file */
function declaredIn(file) {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^export (?:abstract )?(?:class|function) (\w+)/gm)].map(([, name = '']) => name);
}

/** Null if the name is neither a function nor a class. @param {string} file @param {string} name @returns {Declaration | null} */
function declarationOf(file, name) {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  const at = lines.findIndex((line) =>
    new RegExp(`^export (?:async function\\*?|function|(?:abstract )?class|const) ${name}\\b`).test(line),
  );
  if (at < 0) return null;
  return { kind: kindOf(file, lines[at] ?? ''), documented: isDocumented(lines, at) };
}

/** @param {string} file @param {string} line @returns {Kind} */
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

/** @param {string} file @param {string} declaration of the class @returns {PublicName[]} */
function methodsOf(file, declaration) {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  const start = lines.findIndex((line) => line.startsWith(declaration));
  const end = lines.findIndex((line, at) => at > start && line.startsWith('}'));
  return lines.slice(start, end).flatMap((line, i) => {
    const name = /^ {2}(?:async )?([a-z]\w*)\(.*\{$/.exec(line)?.[1];
    if (!name || name === 'constructor') return [];
    const kind = /\): (Tensor|this) \{$/.test(line) && name !== 'detach' ? 'operation' : 'other';
    return { name, method: true, file, kind, documented: isDocumented(lines, start + i) };
  });
}

/** @param {readonly string[]} lines @param {number} at */
function isDocumented(lines, at) {
  return /\*\/$/.test(lines[at - 1]?.trim() ?? '') || /^\s*\/\*\*.*\*\/\s*\S/.test(lines[at] ?? '');
}

/** @param {string} text */
function withoutComments(text) {
  return text.replace(/^\s*\/\/.*$/gm, '');
}
