// Finds the tensors and modules in a module's fields, nested in arrays, plain objects, Maps and Sets to any depth.
import { Tensor } from '@mien/tensor';
import { isLeaf } from '@mien/tensor/internal';

/** A tensor or module with its dotted name. */
export type NamedField = readonly [name: string, value: object];

/** The search for hidden modules stops after this many values: it is a safety net. */
const hiddenLimit = 10_000;

/**
 * The tensors and instances of `kind` in the fields of `owner`, in order, with `prefix` before each name. Names are
 * PyTorch's: fields in snake_case, indices of arrays and Sets, keys of objects and Maps. Calls `refuse` for a key that cannot
 * be part of a dotted name.
 */
export function* fieldsOf(
  owner: object,
  prefix: string,
  kind: abstract new () => object,
  refuse: (message: string) => never,
): Generator<NamedField> {
  for (const [field, value] of Object.entries(owner)) {
    yield* placesOf(value, prefix + snakeCase(field), kind, refuse, []);
  }
}

function* placesOf(
  value: unknown,
  name: string,
  kind: abstract new () => object,
  refuse: (message: string) => never,
  parents: readonly object[],
): Generator<NamedField> {
  if (typeof value !== 'object' || value === null || parents.includes(value)) return;
  if (value instanceof kind || value instanceof Tensor) {
    yield [name, value];
    return;
  }
  for (const [key, item] of itemsOf(value) ?? []) {
    if (typeof item !== 'object' || item === null) continue;
    const inside = placesOf(item, `${name}.${key}`, kind, refuse, [...parents, value]);
    if (key !== '' && !key.includes('.')) yield* inside;
    else if (!inside.next().done)
      refuse(`${name} has the key '${key}'; use a key without dots, as it is part of a dotted name`);
  }
}

/** The items of an array, plain object, Map or Set by key; null for anything else. */
function itemsOf(value: object): Iterable<readonly [key: string, item: unknown]> | null {
  if (Array.isArray(value)) return value.map((item, i) => [String(i), item] as const);
  if (value instanceof Set) return [...value].map((item, i) => [String(i), item] as const);
  if (value instanceof Map) return [...value].map(([key, item]) => [String(key), item] as const);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return null;
  return Object.entries(value).map(([key, item]) => [snakeCase(key), item] as const);
}

/**
 * An instance of `kind` or a leaf that is not in `known`, inside an object of another class in a field of `owner`: its name
 * and that object's class. Null where there is none.
 */
export function hiddenIn(
  owner: object,
  prefix: string,
  kind: abstract new () => object,
  known: ReadonlySet<object>,
): readonly [name: string, className: string] | null {
  const seen = new Set<object>();
  const pending = Object.entries(owner).map(([field, value]) => ({
    name: prefix + snakeCase(field),
    value,
    className: '',
  }));
  for (let next = pending.pop(); next && seen.size < hiddenLimit; next = pending.pop()) {
    const { name, value, className } = next;
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof kind || value instanceof Tensor) {
      const counts = value instanceof kind || isLeaf(value as Tensor);
      if (className && counts && !known.has(value)) return [name, className];
      continue;
    }
    const items = itemsOf(value);
    const inside = className || (items ? '' : value.constructor.name);
    for (const [key, item] of items ?? Object.entries(value)) {
      pending.push({ name: `${name}.${key}`, value: item, className: inside });
    }
  }
  return null;
}

/** `running_mean` for `runningMean`. */
function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
