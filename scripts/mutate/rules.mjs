// The mutation rules: small faults that a programmer could make. Each edit replaces a range of the source.
import { afterBracket, afterExpression, blanked, entriesOf, operatorsOf } from './text.mjs';

/** @typedef {{ kind: string, start: number, end: number, text: string }} Edit */
/** @typedef {Generator<Edit, void, undefined>} Edits */

/**
 * @typedef {{ id: string, key: string, file: string, place: string, kind: string, line: number, before: string, after: string, was: string,
 *   start: number, end: number, text: string }} Mutant
 */

/** Kinds of faults, by their names in reports. */
export const kinds = {
  sign: 'a sign changed',
  guard: 'a guard dropped or forced',
  stride: 'a stride or index swapped for another',
  bound: 'a bound, start or padding off by one',
  term: 'a term or factor dropped',
  constant: 'a wrong constant',
  barrier: 'a barrier dropped',
  comparison: 'a wrong comparison',
  operands: 'operands swapped',
  extreme: 'min for max, or the reverse',
};

/** @type {Readonly<Record<string, string>>} */
const opposite = { '+': '-', '-': '+', '+=': '-=', '-=': '+=' };
/** @type {Readonly<Record<string, string>>} */
const neighbor = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '==': '!=',
  '!=': '==',
  '===': '!==',
  '!==': '===',
  '&&': '||',
  '||': '&&',
};

/** Edits for both languages: arithmetic, comparisons, numbers, min and max. `inLoop` returns whether a position is in a loop's head. @param {string} source @param {string} text @param {(at: number) => boolean} inLoop @returns {Edits} */
function* common(source, text, inLoop) {
  for (const { at, end, symbol, left, right } of operatorsOf(text)) {
    const [a, b] = [source.slice(...left), source.slice(...right)];
    if (symbol in opposite) yield { kind: inLoop(at) ? 'bound' : 'sign', start: at, end, text: opposite[symbol] ?? '' };
    // No value depends on `needs.x &&`.
    if (symbol in neighbor && !/^needs\.\w+$/.test(a))
      yield { kind: inLoop(at) ? 'bound' : 'comparison', start: at, end, text: neighbor[symbol] ?? '' };
    if (inLoop(at)) continue;
    if (['-', '/', '%', '**'].includes(symbol) && a !== b)
      yield { kind: 'operands', start: left[0], end: right[1], text: `${b} ${symbol} ${a}` };
    if (/^(?:[-+*/%]|\*\*)$/.test(symbol)) {
      yield { kind: 'term', start: left[0], end: right[1], text: a };
      if ('+*'.includes(symbol)) yield { kind: 'term', start: left[0], end: right[1], text: b };
    }
  }
  for (const { index } of text.matchAll(/(?<=[(,=]\s*|return )-(?=[\w(])/g))
    yield { kind: 'sign', start: index, end: index + 1, text: '' };
  for (const { index, 0: word } of text.matchAll(/(?<=(?:^|[^\w.])(?:Math\.)?)(?:min|max)(?=\()/g))
    yield { kind: 'extreme', start: index, end: index + 3, text: word === 'min' ? 'max' : 'min' };
  for (const { index, 0: word } of text.matchAll(
    /(?<![\w.$#])(?:0x[\da-f]+|\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?=[uifh]?(?![\w.]))/g,
  )) {
    if (/array<[^>]*$/.test(text.slice(text.lastIndexOf('\n', index) + 1, index))) continue;
    yield {
      kind: inLoop(index) ? 'bound' : 'constant',
      start: index,
      end: index + word.length,
      text: otherNumber(word),
    };
  }
}

/** @param {string} word */
function otherNumber(word) {
  if (word.startsWith('0x')) return `0x${(BigInt(word) + 1n).toString(16)}`;
  if (/^\d+$/.test(word)) return `${Number(word) + 1}`;
  const value = Number(word) * (word.replace(/e.*|[.]/g, '').length > 4 ? 1.01 : 1.25);
  const written = `${Number(value.toPrecision(10))}`;
  return /[.e]/.test(written) ? written : `${written}.0`;
}

/** Edits of a WGSL source. @param {string} source @returns {Edits} */
export function* wgslEdits(source) {
  const text = blanked(source);
  /** @type {[start: number, end: number][]} */
  const loops = [];
  for (const { index, 0: head } of text.matchAll(/\bfor \(/g))
    loops.push([index, afterBracket(text, index + head.length - 1)]);
  /** @param {number} at */
  const inLoop = (at) => loops.some(([start, end]) => at >= start && at < end);
  const code = codeRanges(text);
  /** @param {Edit} edit */
  const inCode = ({ start }) => code.some(([from, to]) => start >= from && start < to);
  /** @returns {Edits} */
  function* all() {
    yield* common(source, text, inLoop);
    for (const { index, 0: symbol } of text.matchAll(/(?<= )[-+]=(?= )/g))
      yield { kind: inLoop(index) ? 'bound' : 'sign', start: index, end: index + 2, text: opposite[symbol] ?? '' };
    for (const { index, 0: head } of text.matchAll(/\bif \(/g)) {
      const open = index + head.length - 1;
      const close = afterBracket(text, open);
      const leaves = /^\s*\{\s*(?:return|continue|break)\b/.test(text.slice(close));
      yield { kind: 'guard', start: open + 1, end: close - 1, text: `${!leaves}` };
    }
    for (const { index, 0: found } of text.matchAll(/\b(?:workgroup|storage)Barrier\(\);/g))
      yield { kind: 'barrier', start: index, end: index + found.length, text: '' };
    for (const { index, 1: letter } of text.matchAll(/(?<=\b[a-z]\w*(?:\[\w+\])?\.)([xy])(?![\w])/g))
      yield { kind: 'stride', start: index, end: index + 1, text: letter === 'x' ? 'y' : 'x' };
    for (const { index, 0: name } of text.matchAll(/(?<=\bselect\()/g)) {
      const [a, b] = entriesOf(text, index - 1 + name.length);
      if (a && b)
        yield { kind: 'operands', start: a[0], end: b[1], text: `${source.slice(...b)}, ${source.slice(...a)}` };
    }
    for (const { index, 0: found } of text.matchAll(/\bparams\.\w*padding\w*(?:\.[xy])?/gi))
      yield { kind: 'bound', start: index, end: index + found.length, text: `(${found} + 1)` };
    yield* otherParams(text);
  }
  for (const edit of all()) if (inCode(edit)) yield edit;
}

/** Bodies of functions, and top-level tables; declarations are left out, because the host reads them too. @param {string} text */
function codeRanges(text) {
  /** @type {[start: number, end: number][]} */
  const found = [];
  for (const { index } of text.matchAll(/\bfn \w+\(/g)) {
    const open = text.indexOf('{', afterBracket(text, text.indexOf('(', index)));
    found.push([open, afterBracket(text, open)]);
  }
  for (const { index, 0: head } of text.matchAll(/^const \w+ = (?:array|vec)[^(]*\(/gm))
    found.push([index + head.length, afterBracket(text, index + head.length - 1)]);
  return found;
}

/** Each use of a parameter replaced by another parameter of its type. @param {string} text @returns {Edits} */
function* otherParams(text) {
  const struct = /struct Params\s*\{([^}]*)\}/.exec(text)?.[1] ?? '';
  const types = new Map(
    [...struct.matchAll(/(\w+)\s*:\s*(\w+)\s*,?/g)].map(([, name = '', type = '']) => [name, type]),
  );
  const names = [...types.keys()];
  for (const { index, 1: name } of text.matchAll(/\bparams\.(\w+)/g)) {
    if (name === undefined) continue;
    const same = names.filter((other) => types.get(other) === types.get(name));
    if (same.length < 2) continue;
    const other = same[(same.indexOf(name) + 1) % same.length] ?? name;
    const start = index + 'params.'.length;
    yield { kind: 'stride', start, end: start + name.length, text: other };
  }
}

/** Edits of a formula in TypeScript, from `start` to `end` of a source. @param {string} source @param {number} start @param {number} end @returns {Edits} */
export function* formulaEdits(source, start, end) {
  const text = blanked(source);
  /** @param {string} name */
  const declared = (name) =>
    new RegExp(`\\b${name}\\b`).test(text.slice(0, start)) || new RegExp(`(?:const|function) ${name}\\b`).test(text);
  /** @returns {Edits} */
  function* all() {
    yield* common(source, text, () => false);
    /** @type {Readonly<Record<string, string>>} */
    const methods = {
      add: 'sub',
      sub: 'add',
      gt: 'ge',
      ge: 'gt',
      lt: 'le',
      le: 'lt',
      eq: 'ne',
      maximum: 'minimum',
      minimum: 'maximum',
    };
    /** @param {string} name */
    const kindOf = (name) =>
      /^(?:add|sub)$/.test(name) ? 'sign' : /m(?:in|ax)imum/.test(name) ? 'extreme' : 'comparison';
    for (const { index, 1: dot = '', 2: name = '' } of text.matchAll(
      /(?<![\w$])(\.?)(add|sub|gt|ge|lt|le|eq|maximum|minimum)(?=\()/g,
    )) {
      const other = methods[name] ?? '';
      if (dot === '' && !declared(other)) continue;
      const at = index + dot.length;
      yield { kind: kindOf(name), start: at, end: at + name.length, text: other };
    }
    for (const { index } of text.matchAll(/\.neg\(\)/g)) yield { kind: 'sign', start: index, end: index + 6, text: '' };
    for (const { index } of text.matchAll(/\.(?:mul|div|add|sub|pow)(?=\()/g)) {
      const close = afterBracket(text, text.indexOf('(', index));
      yield { kind: 'term', start: index, end: close, text: '' };
    }
    for (const { index, 0: name } of text.matchAll(/(?<![\w.$])(?:sub|div|pow|mul|product|where|gt|lt|ge|le)\(/g)) {
      const open = index + name.length - 1;
      const [a, b] = entriesOf(text, open).slice(name === 'where(' ? 1 : 0);
      if (!a || !b) continue;
      if (name === 'mul(')
        yield { kind: 'term', start: index, end: afterBracket(text, open), text: source.slice(...a) };
      else yield { kind: 'operands', start: a[0], end: b[1], text: `${source.slice(...b)}, ${source.slice(...a)}` };
    }
    for (const { index, 0: word } of text.matchAll(/(?<=[(, ])(?:true|false)(?=[,)\s])/g))
      yield { kind: 'stride', start: index, end: index + word.length, text: word === 'true' ? 'false' : 'true' };
    for (const { index } of text.matchAll(/(?<=[(, ])!(?=\w)/g))
      yield { kind: 'stride', start: index, end: index + 1, text: '' };
    for (const { index, 0: head } of text.matchAll(/\bif \(/g)) {
      const open = index + head.length - 1;
      yield {
        kind: 'guard',
        start: open + 1,
        end: afterBracket(text, open) - 1,
        text: `!(${source.slice(open + 1, afterBracket(text, open) - 1)})`,
      };
    }
    // The gradient in `=> ({ x: needs.x && gradient })` and `return { x: gradient }`.
    const rule = /^\(/.test(source.slice(start));
    for (const { index, 0: head } of rule ? text.matchAll(/(?:=> \(|\breturn )(?=\{)/g) : []) {
      for (const [from, to] of entriesOf(text, index + head.length)) {
        const [name] = /^\w+:\s*(?:needs\.\w+\s*&&\s*)?/.exec(text.slice(from, to)) ?? [];
        if (name) yield* negatedAndDoubled(source, from + name.length, to);
      }
    }
    if (/\): Tensor $/.test(text.slice(0, start))) {
      for (const { index, 0: head } of text.matchAll(/\breturn (?=[^{;])/g))
        yield* negatedAndDoubled(source, index + head.length, afterExpression(text, index + head.length));
    }
    const arrow = /^\([^()]*\)\s*=>\s*(?=[^\s({])/.exec(text.slice(start, end));
    if (arrow) yield* negatedAndDoubled(source, start + arrow[0].length, end);
  }
  for (const edit of all()) if (edit.start >= start && edit.end <= end) yield edit;
}

/** The negated and the doubled tensor, if the text is one expression. @param {string} source @param {number} start @param {number} end @returns {Edits} */
function* negatedAndDoubled(source, start, end) {
  const gradient = source.slice(start, end);
  if (gradient.includes(';')) return;
  yield { kind: 'sign', start, end, text: `(${gradient}).neg()` };
  yield { kind: 'constant', start, end, text: `(${gradient}).mul(2)` };
}
