// The prose of a file: comments and string literals of source code, everything of a document.

/** What a `/` after this text begins: a regular expression, because no operand ends here. */
const beforeRegex = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|await|throw))\s*$/;

const comments = {
  ts: /\/\/[^\n]*|\/\*[\s\S]*?\*\//y,
  wgsl: /\/\/[^\n]*|\/\*[\s\S]*?\*\//y,
  py: /#[^\n]*/y,
  sh: /#[^\n]*/y,
};
const strings = {
  ts: /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/y,
  py: /"""[\s\S]*?"""|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/y,
  sh: /'[^']*'|"(?:\\.|[^"\\])*"/y,
};
/** A run of code in which nothing else begins. */
const plainCode = /[^'"`/{}#]+/y;
const regex = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y;

/**
 * The text of a file with its code replaced by NUL characters: offsets and lines stay. Comment signs become spaces, so that a
 * sentence over several lines reads as one. Null for files without prose.
 * @param {string} path
 * @param {string} text
 * @returns {string | null}
 */
export function proseOf(path, text) {
  const ending = path.split('.').pop() ?? '';
  if (['md', 'html', 'css', 'yml'].includes(ending)) return text;
  if (['ts', 'mts', 'mjs', 'js'].includes(ending)) return scan('ts', text);
  if (ending === 'wgsl' || ending === 'py') return scan(ending, text);
  return ending === 'sh' || path === '.ci/run' ? scan('sh', text) : null;
}

/**
 * @param {'ts' | 'wgsl' | 'py' | 'sh'} language
 * @param {string} text
 */
function scan(language, text) {
  /** @param {RegExp | undefined} pattern @param {number} at */
  const match = (pattern, at) => {
    if (!pattern) return null;
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0] ?? null;
  };
  let prose = '';
  /** @param {number} from @param {string} end */
  const code = (from, end) => {
    let at = from;
    for (let depth = 0; at < text.length; ) {
      const sign = text.charAt(at);
      const comment = match(comments[language], at);
      const string = language === 'wgsl' ? null : match(strings[language], at);
      const skipped = language === 'ts' && sign === '/' && beforeRegex.test(text.slice(Math.max(0, at - 80), at));
      if (comment !== null) {
        prose += comment.replace(/^[/*#]+|\*\/$|^[^\S\n]*(?:\*|\/\/|#)(?=\s|$)/gm, blank);
        at += comment.length;
      } else if (string !== null) {
        prose += `\0${string.slice(1, -1)}\0`;
        at += string.length;
      } else if (language === 'ts' && sign === '`') {
        prose += '\0';
        at = template(at + 1);
      } else if (skipped && match(regex, at) !== null) {
        const length = match(regex, at)?.length ?? 1;
        prose += '\0'.repeat(length);
        at += length;
      } else {
        if (sign === end && depth === 0) return at;
        if (sign === '{') depth++;
        if (sign === '}') depth--;
        const rest = match(plainCode, at + 1) ?? '';
        prose += (sign + rest).replace(/\S/g, '\0');
        at += 1 + rest.length;
      }
    }
    return at;
  };
  /** @param {number} from */
  const template = (from) => {
    let at = from;
    while (at < text.length && text.charAt(at) !== '`') {
      if (text.startsWith('${', at)) {
        prose += '\0\0';
        at = code(at + 2, '}');
        prose += '\0';
        at++;
      } else if (text.charAt(at) === '\\') {
        prose += text.slice(at, at + 2);
        at += 2;
      } else prose += text.charAt(at++);
    }
    prose += '\0';
    return at + 1;
  };
  code(0, '');
  return prose;
}

/** @param {string} found */
function blank(found) {
  return ' '.repeat(found.length);
}
