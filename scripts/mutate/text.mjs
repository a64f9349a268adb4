// @ts-nocheck
// What mutation rules share: source with comments and strings blanked, matching brackets, the operands of an operator.

/** The source with every comment and string replaced by spaces: same length, same lines. */
export function blanked(source) {
  return source.replace(
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g,
    (found) => found.replace(/[^\n]/g, ' '),
  );
}

const closing = { '(': ')', '[': ']', '{': '}' };

/** The position after the bracket that closes the one at `open`. */
export function afterBracket(text, open) {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] in closing) depth++;
    else if (')]}'.includes(text[i]) && --depth === 0) return i + 1;
  }
  return text.length;
}

/** The position after an expression that begins at `start`: where a comma, a semicolon or a closing bracket ends it. */
export function afterExpression(text, start) {
  let i = start;
  while (i < text.length && !',;)]}'.includes(text[i])) i = text[i] in closing ? afterBracket(text, i) : i + 1;
  while (/\s/.test(text[i - 1])) i--;
  return i;
}

/** The ranges of a bracket's comma-separated entries, without the space around them. */
export function entriesOf(text, open) {
  const end = afterBracket(text, open) - 1;
  const found = [];
  for (let start = open + 1; start < end; ) {
    while (/\s/.test(text[start])) start++;
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

/** Binary operators as this code base writes them, with space around: position, symbol, and the ranges of both operands. */
export function operatorsOf(text) {
  const found = [];
  const pattern = /(?<=[\w)\]}.])(\s+)([-+*/%<>=!&|^?]{1,3})(?=\s+[^\s=])/g;
  for (const { index, 1: space, 2: symbol } of text.matchAll(pattern)) {
    if (!rank.has(symbol)) continue;
    const at = index + space.length;
    found.push({ at, symbol, end: at + symbol.length });
  }
  const ends = new Map(found.map((each) => [each.at, each]));
  const starts = new Map(found.map((each) => [each.end - 1, each]));
  return found.map((each) => {
    const level = rank.get(each.symbol);
    let right = each.end;
    while (/\s/.test(text[right])) right++;
    let stop = right;
    while (stop < text.length && !',;)]}?:'.includes(text[stop])) {
      const next = ends.get(stop);
      if (next && rank.get(next.symbol) <= level) break;
      if (next) stop = next.end;
      else if (text.startsWith('//', stop)) break;
      else stop = text[stop] in closing ? afterBracket(text, stop) : stop + 1;
    }
    while (/\s/.test(text[stop - 1])) stop--;
    let left = each.at - 1;
    let begin = left;
    for (let depth = 0; begin >= 0; begin--) {
      const sign = text[begin];
      if (')]}'.includes(sign)) depth++;
      else if (sign in closing) {
        if (depth === 0) break;
        depth--;
      } else if (depth === 0) {
        if (',;?:'.includes(sign)) break;
        if (sign === '=' && !starts.has(begin) && !/[<>=!]/.test(text[begin - 1])) break;
        if (sign === '>' && text[begin - 1] === '=') break; // an arrow
        const before = starts.get(begin);
        if (before && rank.get(before.symbol) < level) break;
        if (/\s/.test(sign) && /\breturn$/.test(text.slice(Math.max(0, begin - 6), begin))) break;
      }
    }
    begin++;
    while (/\s/.test(text[begin])) begin++;
    while (/\s/.test(text[left])) left--;
    return { ...each, left: [begin, left + 1], right: [right, stop] };
  });
}
