// The public API of each package as one text file, so that a review sees every change of it: the declarations that tsc emits, from
// the entries of package.json on, without docstrings.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { cacheFolder, root } from './workspace.mjs';

/** @typedef {ReadonlyMap<string, string>} Files path to text, of declarations */
/** @typedef {{ readonly file: string, readonly name: string }} Place where a name is declared; name `*` is a namespace */
/**
 * @typedef {{
 *   readonly statements: ReadonlyMap<string, readonly string[]>,
 *   readonly imports: ReadonlyMap<string, Place>,
 *   readonly exports: ReadonlyMap<string, Place>,
 *   readonly stars: readonly string[],
 * }} Declarations
 */

const packages = ['tensor', 'nn', 'fer'];

/** Entries for the packages' own use. */
const privateEntries = ['./internal'];

/** Where `check` has tsc emit the declarations. */
export const declarationsFolder = join(cacheFolder(), 'declarations');

/** Problems: the packages whose api.txt is not what their declarations say. */
export async function changedApis() {
  return packages.flatMap((name) => {
    const file = `packages/${name}/api.txt`;
    const before = existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '';
    const change = firstChange(before, apiText(name));
    return change === null ? [] : [`${file}: ${change}; npm run check -- --api rewrites it`];
  });
}

/** Writes every api.txt that changed, and returns their paths. */
export function writeApis() {
  const files = packages.map((name) => ({ file: `packages/${name}/api.txt`, text: apiText(name) }));
  const changed = files.filter(({ file, text }) => {
    const path = join(root, file);
    return !existsSync(path) || readFileSync(path, 'utf8') !== text;
  });
  for (const { file, text } of changed) writeFileSync(join(root, file), text);
  return changed.map(({ file }) => file);
}

/**
 * The first line in which two texts differ, in words; null where they are equal.
 * @param {string} before
 * @param {string} after
 */
export function firstChange(before, after) {
  if (before === after) return null;
  const [old, now] = [before.split('\n'), after.split('\n')];
  const at = now.findIndex((line, i) => line !== old[i]);
  const [was, is] = at < 0 ? [old[now.length], ''] : [old[at], now[at]];
  return `the public API changed at line ${(at < 0 ? now.length : at) + 1} from \`${was ?? ''}\` to \`${is}\``;
}

/** @param {string} name */
function apiText(name) {
  /** @type {{ exports: Record<string, string> }} */
  const { exports } = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
  const files = new Map();
  for (const path of readdirSync(join(declarationsFolder, name), { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.d.ts'))
      files.set(path.replaceAll('\\', '/'), readFileSync(join(declarationsFolder, name, path), 'utf8'));
  }
  const entries = Object.entries(exports).flatMap(([entry, source]) =>
    typeof source !== 'string' || !source.endsWith('.ts') || privateEntries.includes(entry)
      ? []
      : [{ name: posix.join(`@mien/${name}`, entry), file: source.slice(2).replace(/\.ts$/, '.d.ts') }],
  );
  return apiOf(files, entries);
}

/**
 * The text of api.txt: the names of each entry in alphabetical order, then what their declarations mention but no entry exports.
 * @param {Files} files
 * @param {readonly { name: string, file: string }[]} entries
 */
export function apiOf(files, entries) {
  /** @type {Map<string, Declarations>} */
  const read = new Map([...files].map(([path, text]) => [path, declarationsOf(path, text)]));
  const listed = new Set();
  /** @type {Place[]} */
  const pending = [];
  const sections = entries.map(({ name, file }) => {
    const names = [...exportsOf(file, read)].sort(([a], [b]) => (a < b ? -1 : 1));
    const texts = names.map(([exported, place]) => {
      pending.push(...mentions(place, read));
      listed.add(`${place.file} ${place.name}`);
      const text = textOf(place, read);
      return exported === place.name ? text : `${place.name} as ${exported}: ${text}`;
    });
    return [`# ${name}`, ...texts].join('\n\n');
  });
  /** @type {Map<string, string>} */
  const others = new Map();
  for (let place = pending.pop(); place; place = pending.pop()) {
    const key = `${place.name} ${place.file}`;
    if (others.has(key) || listed.has(`${place.file} ${place.name}`)) continue;
    others.set(key, textOf(place, read));
    pending.push(...mentions(place, read));
  }
  const rest = [...others].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  if (rest.length > 0) sections.push(['# mentioned above, not exported', ...rest].join('\n\n'));
  return `${sections.join('\n\n')}\n`;
}

/**
 * @param {string} path
 * @param {string} text
 * @returns {Declarations}
 */
function declarationsOf(path, text) {
  const statements = new Map();
  const imports = new Map();
  const exports = new Map();
  /** @type {string[]} */
  const stars = [];
  for (const statement of statementsOf(text)) {
    const [, names, from] =
      /^(?:import|export) (?:type )?(\{[^}]*\}|\*(?: as \w+)?)(?: from ['"]([^'"]+)['"])?;$/.exec(statement) ?? [];
    if (names !== undefined) {
      const file = from === undefined ? path : resolve(path, from);
      const target = statement.startsWith('import') ? imports : exports;
      if (names === '*') stars.push(file);
      else if (names.startsWith('*')) target.set(names.slice(5), { file, name: '*' });
      else
        for (const part of names.slice(1, -1).split(',')) {
          const [name = '', alias = name] = part
            .trim()
            .replace(/^type /, '')
            .split(' as ');
          if (name !== '') target.set(alias, { file, name });
        }
      continue;
    }
    const [, name] =
      /^(?:export )?(?:declare )?(?:abstract )?(?:async )?(?:class|function|const|let|var|type|interface|enum|namespace) ([\w$]+)/.exec(
        statement,
      ) ?? [];
    if (name === undefined) continue;
    statements.set(name, [...(statements.get(name) ?? []), statement.replace(/^(?:export )?(?:declare )?/, '')]);
    if (statement.startsWith('export ')) exports.set(name, { file: path, name });
  }
  return { statements, imports, exports, stars };
}

/** Statements of a declaration file on the top level, without comments and private members. @param {string} text */
function statementsOf(text) {
  const lines = text
    .replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !/^\s+(?:#private|private .*);$/.test(line));
  const statements = [];
  let current = '';
  for (const line of lines) {
    current += current === '' ? line : `\n${line}`;
    const depth = (current.match(/[[({]/g)?.length ?? 0) - (current.match(/[\])}]/g)?.length ?? 0);
    if (depth > 0 || !/[;}]$/.test(line)) continue;
    statements.push(current);
    current = '';
  }
  return statements;
}

/** @param {string} path @param {string} from */
function resolve(path, from) {
  return from.startsWith('.') ? posix.join(posix.dirname(path), from).replace(/\.ts$/, '.d.ts') : from;
}

/**
 * What a file exports, through all files that it exports from.
 * @param {string} file
 * @param {ReadonlyMap<string, Declarations>} read
 * @returns {Map<string, Place>}
 */
function exportsOf(file, read) {
  const found = new Map();
  const of = read.get(file);
  for (const star of of?.stars ?? []) for (const [name, place] of exportsOf(star, read)) found.set(name, place);
  for (const [name, place] of of?.exports ?? []) found.set(name, declarationOf(place, read));
  return found;
}

/**
 * The place of the declaration that a name leads to.
 * @param {Place} place
 * @param {ReadonlyMap<string, Declarations>} read
 * @returns {Place}
 */
function declarationOf(place, read) {
  const of = read.get(place.file);
  if (of === undefined || place.name === '*' || of.statements.has(place.name)) return place;
  const candidates = [
    of.exports.get(place.name),
    of.imports.get(place.name),
    ...of.stars.map((star) => exportsOf(star, read).get(place.name)),
  ];
  const next = candidates.find((each) => each && !(each.file === place.file && each.name === place.name));
  return next === undefined ? place : declarationOf(next, read);
}

/** @param {Place} place @param {ReadonlyMap<string, Declarations>} read */
function textOf({ file, name }, read) {
  return read.get(file)?.statements.get(name)?.join('\n') ?? `${name} from ${file}`;
}

/**
 * The places in the package that a declaration mentions.
 * @param {Place} place
 * @param {ReadonlyMap<string, Declarations>} read
 */
function mentions(place, read) {
  const of = read.get(place.file);
  if (of === undefined) return [];
  const text = textOf(place, read).replace(/'[^'\n]*'|"[^"\n]*"/g, '');
  const places = [...text.matchAll(/([\w$]+)(?:\.([\w$]+))?/g)].flatMap(([, name = '', member]) => {
    const imported = of.imports.get(name);
    if (imported?.name === '*') return member === undefined ? [] : [{ file: imported.file, name: member }];
    return imported ?? (of.statements.has(name) ? { file: place.file, name } : []);
  });
  return places
    .map((each) => declarationOf(each, read))
    .filter(({ file, name }) => read.get(file)?.statements.has(name));
}
