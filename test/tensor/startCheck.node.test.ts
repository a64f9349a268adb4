// The start check covers the built-in functions that kernels use.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const families = readdirSync('shaders', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
  .map(({ name }) => name);
const files = families.flatMap((family) => readdirSync(join('shaders', family)).map((file) => join(family, file)));
/** Texts of all kernels and libraries without comments, by family and file. */
const texts = new Map(
  files.map((file) => [file, readFileSync(join('shaders', file), 'utf8').replace(/\/\/.*$/gm, '')]),
);
const declared = new Set(
  [...texts.values()].flatMap((code) => [...code.matchAll(/\b(?:fn|struct|alias) (\w+)/g)].map(([, name]) => name)),
);
const keywords =
  /^(?:if|for|while|switch|case|return|workgroup_size|group|binding|builtin|[uif]\d+|bool|(?:vec|mat)\d.*|array)$/;

/** The WGSL built-in functions that files of selected families call, by file. */
function builtIns(selects: (family: string) => boolean): [file: string, called: string][] {
  return [...texts].flatMap(([file, code]) => {
    if (!selects(file.split(/[\\/]/)[0] as string)) return [];
    const called = [...code.matchAll(/(?<![\w.])([a-z]\w*)(?:<[^()]*?>)?\(/g)].map(([, name]) => name as string);
    return called
      .filter((name) => !declared.has(name) && !keywords.test(name))
      .map((name): [string, string] => [file, name]);
  });
}

test('the start check calls every built-in function that a kernel calls', () => {
  const checked = new Set(builtIns((family) => family === 'device').map(([, called]) => called));
  const used = builtIns((family) => family !== 'device' && family !== 'peak');
  ensure(used.length > 100, `expected over 100 calls of built-in functions, got ${used.length}`);
  const missing = used.filter(([, called]) => !checked.has(called)).map(([file, called]) => `${called} of ${file}`);
  ensure(missing.length === 0, `${missing.join(', ')}: add them to a kernel of shaders/device`);
});
