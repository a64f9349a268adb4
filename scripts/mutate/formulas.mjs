// Finds the formulas of gradients, losses and optimizers in TypeScript, and makes a source in which each of their mutants can be enabled.
import { afterBracket, afterExpression, blanked, entriesOf } from './text.mjs';

/** @typedef {{ readonly name: string, readonly start: number, readonly end: number }} Formula */
/** @typedef {Formula & { readonly exported: boolean }} NamedFunction */

/** The formulas of a source: its rules of differentiation in @mien/tensor, elsewhere its functions with arithmetic. @param {string} path @param {string} source @returns {Formula[]} */
export function formulasOf(path, source) {
  const text = blanked(source);
  const found = path.startsWith('packages/tensor/') ? gradients(text) : functionsOf(text).filter(isFormula(text));
  const names = new Map();
  return found
    .sort((a, b) => a.start - b.start)
    .map(({ name, start, end }) => {
      const count = (names.get(name) ?? 0) + 1;
      names.set(name, count);
      return { name: count === 1 ? name : `${name} (${count})`, start, end };
    });
}

/** Rules of differentiation, and the private functions that they call. @param {string} text */
function gradients(text) {
  /** @type {Formula[]} */
  const found = [];
  for (const { index, 0: head } of text.matchAll(/\bbackward: (?=\()/g)) {
    const start = index + head.length;
    found.push({ name: enclosing(text, index), start, end: afterExpression(text, start) });
  }
  for (const { index, 0: head } of text.matchAll(/= (?:unary|differentiable)\(/g)) {
    for (const [start, end] of entriesOf(text, index + head.length - 1))
      if (/^\([^()]*\)\s*=>/.test(text.slice(start, end))) found.push({ name: enclosing(text, index), start, end });
  }
  const helpers = functionsOf(text).filter(
    ({ start, end, exported }) =>
      !exported && isFormula(text)({ start, end }) && !/\b(?:empty|run|record)\(/.test(text.slice(start, end)),
  );
  for (const formula of found) {
    const body = text.slice(formula.start, formula.end);
    for (const helper of helpers)
      if (!found.includes(helper) && new RegExp(`\\b${helper.name}\\b`).test(body)) found.push(helper);
  }
  for (const each of functionsOf(text)) if (each.name === 'sumTo') found.push(each);
  return found;
}

/** Bodies of top-level functions and of methods. @param {string} text */
function functionsOf(text) {
  /** @type {NamedFunction[]} */
  const found = [];
  const pattern =
    /^(export )?function (\w+)|^ {2}(?:protected |private )?(?:async )?(#?\w+)(?=\([^\n]*\)(?:: [^\n]+)? \{$)/gm;
  for (const { index, 0: head, 1: exported, 2: own, 3: method } of text.matchAll(pattern)) {
    if (/^(?:if|for|while|switch|return|constructor)$/.test(method ?? '')) continue;
    const open = text.indexOf('(', index + head.length);
    const start = bodyAfter(text, afterBracket(text, open));
    if (start > 0)
      found.push({
        name: own ?? method ?? '',
        start,
        end: afterBracket(text, start),
        exported: exported !== undefined,
      });
  }
  return found;
}

/** Where the body begins after a parameter list and the return type. @param {string} text @param {number} at */
function bodyAfter(text, at) {
  const line = /\{\n/.exec(text.slice(at));
  return line ? at + line.index : -1;
}

/** Whether a function has arithmetic of numbers or tensors. */
const isFormula =
  (/** @type {string} */ text) =>
  (/** @type {{ start: number, end: number }} */ { start, end }) =>
    /\s[-+*/]\s|\*\*|\.(?:add|sub|mul|div|neg|sum|mean|exp|log|sqrt|square|pow)\(|\b(?:mul|sub|add|div|pow|where|expand|reshape)\(/.test(
      text.slice(start, end),
    );

/** @param {string} text @param {number} at */
function enclosing(text, at) {
  const names = [...text.slice(0, at).matchAll(/^(?:export )?(?:const|function) (\w+)/gm)];
  return names.at(-1)?.[1] ?? 'module';
}

/**
 * The source with every mutant inside, disabled. `globalThis.mienMutant` is the id of the enabled one; `globalThis.mienProbe(place)` is called
 * for each formula that runs.
 * @param {string} path
 * @param {string} source
 * @param {readonly import('./rules.mjs').Mutant[]} mutants
 */
export function withMutants(path, source, mutants) {
  const formulas = formulasOf(path, source);
  /** @typedef {{ readonly start: number, readonly end: number, readonly text: string }} Cut */
  /** @param {Cut} edit */
  const innermost = (edit) =>
    formulas
      .filter(({ start, end }) => edit.start >= start && edit.end <= end)
      .sort((a, b) => a.end - a.start - (b.end - b.start))[0];
  /** @type {Map<Formula | undefined, import('./rules.mjs').Mutant[]>} */
  const edits = new Map(formulas.map((formula) => [formula, []]));
  for (const mutant of mutants) edits.get(innermost(mutant))?.push(mutant);
  /** @param {Formula} formula */
  const parentOf = (formula) =>
    formulas
      .filter((other) => other !== formula && other.start <= formula.start && other.end >= formula.end)
      .sort((a, b) => a.end - a.start - (b.end - b.start))[0];
  /** @param {Formula | undefined} parent */
  const childrenOf = (parent) => formulas.filter((formula) => parentOf(formula) === parent);

  /** @param {number} from @param {number} to @param {readonly Formula[]} children @param {Cut | null} edit @returns {string} */
  const render = (from, to, children, edit) => {
    /** @type {Cut[]} */
    const cuts = [...children.map((child) => ({ ...child, text: switched(child) })), ...(edit ? [edit] : [])].sort(
      (a, b) => a.start - b.start,
    );
    let at = from;
    let out = '';
    for (const cut of cuts) {
      if (cut.start < at) continue; // inside the edit
      out += source.slice(at, cut.start) + cut.text;
      at = cut.end;
    }
    return out + source.slice(at, to);
  };

  /** @param {Formula} formula */
  function switched(formula) {
    const { start, end, name } = formula;
    const arrow = /^\([^()]*\)(?::[^=]*)?\s*=>\s*/.exec(blanked(source).slice(start, end))?.[0] ?? '';
    const from = start + arrow.length;
    const children = childrenOf(formula);
    const probe = `globalThis.mienProbe?.(${JSON.stringify(`${path}#${name}`)})`;
    const variants = (edits.get(formula) ?? []).map((edit) => ({
      id: JSON.stringify(edit.id),
      text: render(from, end, children, edit),
    }));
    const own = render(from, end, children, null);
    /** @param {string} id */
    const on = (id) => `globalThis.mienMutant === ${id}`;
    if (source[from] === '{')
      return `${arrow}{ ${probe}; ${variants.map(({ id, text }) => `if (${on(id)}) ${text} else `).join('')}${own} }`;
    return `${source.slice(start, from)}(${probe}, ${variants.map(({ id, text }) => `${on(id)} ? (${text}) : `).join('')}(${own}))`;
  }

  return render(0, source.length, childrenOf(undefined), null);
}
