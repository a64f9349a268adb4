// What a module's fields hold: tensors and modules, in lists, records, maps and sets to any depth.
import { Tensor } from '@mien/tensor';
import { leafOf } from '@mien/tensor/internal';

/** Something found among fields, under its dotted name. */
export type Found = readonly [name: string, value: object];

/** Values that the search for hidden modules looks at before it stops: it is a safety net. */
const hiddenLimit = 10_000;

/**
 * The tensors and the instances of `kind` in the fields of `owner`, in their order, `prefix` before each name. Names are
 * PyTorch's: fields in snake_case, indices for lists and sets, keys for records and maps. `problem` is told a name that
 * cannot be a part of a dotted one.
 */
export function* fieldsOf(
  owner: object,
  prefix: string,
  kind: abstract new () => object,
  problem: (message: string) => never,
): Generator<Found> {
  for (const [field, value] of Object.entries(owner)) {
    yield* placesOf(value, prefix + snakeCase(field), kind, problem, []);
  }
}

function* placesOf(
  value: unknown,
  name: string,
  kind: abstract new () => object,
  problem: (message: string) => never,
  within: readonly object[],
): Generator<Found> {
  if (typeof value !== 'object' || value === null || within.includes(value)) return;
  if (value instanceof kind || value instanceof Tensor) {
    yield [name, value];
    return;
  }
  for (const [key, item] of itemsOf(value) ?? []) {
    if (typeof item !== 'object' || item === null) continue;
    const inside = placesOf(item, `${name}.${key}`, kind, problem, [...within, value]);
    if (key !== '' && !key.includes('.')) yield* inside;
    else if (!inside.next().done)
      problem(`${name} has the key '${key}'; a key is a part of a dotted name, without dots`);
  }
}

/** The items of a list, record, map or set by their keys; null for anything else. */
function itemsOf(value: object): Iterable<readonly [key: string, item: unknown]> | null {
  if (Array.isArray(value)) return value.map((item, i) => [String(i), item] as const);
  if (value instanceof Set) return [...value].map((item, i) => [String(i), item] as const);
  if (value instanceof Map) return [...value].map(([key, item]) => [String(key), item] as const);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return null;
  return Object.entries(value).map(([key, item]) => [snakeCase(key), item] as const);
}

/**
 * Where `owner` keeps an instance of `kind` or a leaf that is not in `known`, inside an object that the walk does not enter:
 * its name and that object's class. Null where there is none.
 */
export function hiddenIn(
  owner: object,
  prefix: string,
  kind: abstract new () => object,
  known: ReadonlySet<object>,
): readonly [name: string, holder: string] | null {
  const seen = new Set<object>();
  const waiting = Object.entries(owner).map(([field, value]) => ({
    name: prefix + snakeCase(field),
    value,
    holder: '',
  }));
  for (let next = waiting.pop(); next && seen.size < hiddenLimit; next = waiting.pop()) {
    const { name, value, holder } = next;
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof kind || value instanceof Tensor) {
      const counts = value instanceof kind || leafOf(value as Tensor) !== null;
      if (holder && counts && !known.has(value)) return [name, holder];
      continue;
    }
    const items = itemsOf(value);
    const inside = holder || (items ? '' : value.constructor.name);
    for (const [key, item] of items ?? Object.entries(value)) {
      waiting.push({ name: `${name}.${key}`, value: item, holder: inside });
    }
  }
  return null;
}

/** `runningMean` to `running_mean`: state dicts have PyTorch's names. */
function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
