// Text functions of the mutation rules: blanking of comments and strings, matching brackets, operands.

/** The source with every comment and string replaced by spaces: same length, same lines. @param {string} source */
export function blanked(source) {
  return source.replace(
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g,
    (found) => found.replace(/[^\n]/g, ' '),
  );
}

const opening = '([{';

/** @param {string} text @param {number} at */
function signAt(text, at) {
  return text.charAt(at);
}

/** The position after the bracket that closes the one at `open`. @param {string} text @param {number} open */
export function afterBracket(text, open) {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (opening.includes(signAt(text, i))) depth++;
    else if (')]}'.includes(signAt(text, i)) && --depth === 0) return i + 1;
  }
  return text.length;
}

/** The end of the expression at `start`: a comma, a semicolon or a closing bracket. @param {string} text @param {number} start */
export function afterExpression(text, start) {
  let i = start;
  while (i < text.length && !',;)]}'.includes(signAt(text, i)))
    i = opening.includes(signAt(text, i)) ? afterBracket(text, i) : i + 1;
  while (/\s/.test(signAt(text, i - 1))) i--;
  return i;
}

/** The ranges of a bracket's comma-separated entries, trimmed. @param {string} text @param {number} open */
export function entriesOf(text, open) {
  const end = afterBracket(text, open) - 1;
  /** @type {[start: number, end: number][]} */
  const found = [];
  for (let start = open + 1; start < end; ) {
    while (/\s/.test(signAt(text, start))) start++;
    if (start >= end) break;
    const stop = afterExpression(text, start);
    found.push([start, stop]);
    start = text.indexOf(',', stop);
    if (start < 0) break;
    start++;
  }
  return found;
}

const precedence = [
  ['||', '??'],
  ['&&'],
  ['|', '^', '&'],
  ['==', '!=', '===', '!=='],
  ['<', '>', '<=', '>='],
  ['<<', '>>', '>>>'],
  ['+', '-'],
  ['*', '/', '%'],
  ['**'],
];
const rank = new Map(precedence.flatMap((list, i) => list.map((operator) => [operator, i])));

/** @param {string} symbol */
function rankOf(symbol) {
  return rank.get(symbol) ?? 0;
}

/**
 * Binary operators with spaces around: position, symbol, and the ranges of both operands.
 * @param {string} text
 * @returns {{ at: number, end: number, symbol: string, left: [number, number], right: [number, number] }[]}
 */
export function operatorsOf(text) {
  const found = [];
  const pattern = /(?<=[\w)\]}.])(\s+)([-+*/%<>=!&|^?]{1,3})(?=\s+[^\s=])/g;
  for (const { index, 1: space = '', 2: symbol = '' } of text.matchAll(pattern)) {
    if (!rank.has(symbol)) continue;
    const at = index + space.length;
    found.push({ at, symbol, end: at + symbol.length });
  }
  const ends = new Map(found.map((each) => [each.at, each]));
  const starts = new Map(found.map((each) => [each.end - 1, each]));
  return found.map((each) => {
    const level = rankOf(each.symbol);
    let right = each.end;
    while (/\s/.test(signAt(text, right))) right++;
    let stop = right;
    while (stop < text.length && !',;)]}?:'.includes(signAt(text, stop))) {
      const next = ends.get(stop);
      if (next && rankOf(next.symbol) <= level) break;
      if (next) stop = next.end;
      else if (text.startsWith('//', stop)) break;
      else stop = opening.includes(signAt(text, stop)) ? afterBracket(text, stop) : stop + 1;
    }
    while (/\s/.test(signAt(text, stop - 1))) stop--;
    let left = each.at - 1;
    let begin = left;
    for (let depth = 0; begin >= 0; begin--) {
      const sign = signAt(text, begin);
      if (')]}'.includes(sign)) depth++;
      else if (opening.includes(sign)) {
        if (depth === 0) break;
        depth--;
      } else if (depth === 0) {
        if (',;?:'.includes(sign)) break;
        if (sign === '=' && !starts.has(begin) && !/[<>=!]/.test(signAt(text, begin - 1))) break;
        if (sign === '>' && text[begin - 1] === '=') break; // an arrow
        const before = starts.get(begin);
        if (before && rankOf(before.symbol) < level) break;
        if (/\s/.test(sign) && /\breturn$/.test(text.slice(Math.max(0, begin - 6), begin))) break;
      }
    }
    begin++;
    while (/\s/.test(signAt(text, begin))) begin++;
    while (/\s/.test(signAt(text, left))) left--;
    return { ...each, left: [begin, left + 1], right: [right, stop] };
  });
}
