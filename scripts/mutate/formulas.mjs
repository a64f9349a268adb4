// @ts-nocheck
// Where gradient, loss and optimizer formulas are in TypeScript, and a source in which each of their mutants can be switched on.
import { afterBracket, afterExpression, blanked, entriesOf } from './text.mjs';

/** @typedef {{ name: string, start: number, end: number }} Formula */

/** Formulas of a source: functions by their range. `path` decides what counts as one. */
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

/** Rules of differentiation, and the private functions that they are made of. */
function gradients(text) {
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
  for (let i = 0; i < found.length; i++) {
    const body = text.slice(found[i].start, found[i].end);
    for (const helper of helpers)
      if (!found.includes(helper) && new RegExp(`\\b${helper.name}\\b`).test(body) && helper !== found[i])
        found.push(helper);
  }
  for (const each of functionsOf(text)) if (each.name === 'sumTo') found.push(each);
  return found;
}

/** Bodies of top-level functions and of methods, by name. */
function functionsOf(text) {
  const found = [];
  const pattern =
    /^(export )?function (\w+)|^ {2}(?:protected |private )?(?:async )?(#?\w+)(?=\([^\n]*\)(?:: [^\n]+)? \{$)/gm;
  for (const { index, 0: head, 1: exported, 2: own, 3: method } of text.matchAll(pattern)) {
    if (/^(?:if|for|while|switch|return|constructor)$/.test(method ?? '')) continue;
    const open = text.indexOf('(', index + head.length);
    const start = bodyAfter(text, afterBracket(text, open));
    if (start > 0)
      found.push({ name: own ?? method, start, end: afterBracket(text, start), exported: exported !== undefined });
  }
  return found;
}

/** Where the body begins after a parameter list, past a type that may have braces of its own. */
function bodyAfter(text, at) {
  const line = /\{\n/.exec(text.slice(at));
  return line ? at + line.index : -1;
}

/** Whether a function computes: it has arithmetic, of numbers or tensors. */
const isFormula =
  (text) =>
  ({ start, end }) =>
    /\s[-+*/]\s|\*\*|\.(?:add|sub|mul|div|neg|sum|mean|exp|log|sqrt|square|pow)\(|\b(?:mul|sub|add|div|pow|where|expand|reshape)\(/.test(
      text.slice(start, end),
    );

function enclosing(text, at) {
  const names = [...text.slice(0, at).matchAll(/^(?:export )?(?:const|function) (\w+)/gm)];
  return names.at(-1)?.[1] ?? 'module';
}

/**
 * The source with every mutant inside, off: `globalThis.mienMutant` is the id of the one that is on, and
 * `globalThis.mienProbe(place)` is called for each formula that runs.
 */
export function withMutants(path, source, mutants) {
  const formulas = formulasOf(path, source);
  const innermost = (edit) =>
    formulas
      .filter(({ start, end }) => edit.start >= start && edit.end <= end)
      .sort((a, b) => a.end - a.start - (b.end - b.start))[0];
  const edits = new Map(formulas.map((formula) => [formula, []]));
  for (const mutant of mutants) edits.get(innermost(mutant))?.push(mutant);
  const parentOf = (formula) =>
    formulas
      .filter((other) => other !== formula && other.start <= formula.start && other.end >= formula.end)
      .sort((a, b) => a.end - a.start - (b.end - b.start))[0];
  const childrenOf = (parent) => formulas.filter((formula) => parentOf(formula) === parent);

  const render = (from, to, children, edit) => {
    const cuts = [...children.map((child) => ({ ...child, text: switched(child) })), ...(edit ? [edit] : [])].sort(
      (a, b) => a.start - b.start,
    );
    let [at, out] = [from, ''];
    for (const cut of cuts) {
      if (cut.start < at) continue; // inside of what the edit replaces
      out += source.slice(at, cut.start) + cut.text;
      at = cut.end;
    }
    return out + source.slice(at, to);
  };

  function switched(formula) {
    const { start, end, name } = formula;
    const arrow = /^\([^()]*\)(?::[^=]*)?\s*=>\s*/.exec(blanked(source).slice(start, end))?.[0] ?? '';
    const from = start + arrow.length;
    const children = childrenOf(formula);
    const probe = `globalThis.mienProbe?.(${JSON.stringify(`${path}#${name}`)})`;
    const variants = edits.get(formula).map((edit) => [JSON.stringify(edit.id), render(from, end, children, edit)]);
    const own = render(from, end, children, null);
    const on = (id) => `globalThis.mienMutant === ${id}`;
    if (source[from] === '{')
      return `${arrow}{ ${probe}; ${variants.map(([id, text]) => `if (${on(id)}) ${text} else `).join('')}${own} }`;
    return `${source.slice(start, from)}(${probe}, ${variants.map(([id, text]) => `${on(id)} ? (${text}) : `).join('')}(${own}))`;
  }

  return render(0, source.length, childrenOf(undefined), null);
}
