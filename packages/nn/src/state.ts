// Tensors by name, on the device or on the host: state dicts, optimizer states and files exchange them.
import { type DType, Tensor, type TypedArray, ValueError } from '@mien/tensor';
import { kindOf } from '@mien/tensor/internal';

/** Element types of files, by safetensors' names. */
export type StoredDtype = 'F32' | 'F16' | 'BF16' | 'F64' | 'I64' | 'I32' | 'I16' | 'I8' | 'U32' | 'U8' | 'BOOL';

/** A tensor in host memory. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: TypedArray;
  /** The element type in the file it was read from, and in files it is written to. */
  readonly storedDtype?: StoredDtype;
}

/** Tensors by dotted name. */
export type State = ReadonlyMap<string, Tensor | HostTensor>;

/** Throws ValueError unless `state` is a Map of tensors, on the device or on the host. */
export function expectState(operation: string, state: unknown): void {
  if (!(state instanceof Map)) {
    throw new ValueError(`${operation}: state must be a Map of tensors by name, got ${kindOf(state)}`);
  }
  for (const [name, value] of state) {
    if (typeof name !== 'string') throw new ValueError(`${operation}: names must be strings, got ${kindOf(name)}`);
    if (!(value instanceof Tensor)) expectHostTensor(`${operation}: ${name}`, value);
  }
}

/** Throws ValueError unless `value` is a tensor in host memory. */
export function expectHostTensor(operation: string, value: unknown): void {
  const { shape, dtype, data } = (value ?? {}) as Partial<HostTensor>;
  if (Array.isArray(shape) && typeof dtype === 'string' && ArrayBuffer.isView(data)) return;
  throw new ValueError(`${operation}: expected { shape, dtype, data }, got ${kindOf(value)}`);
}

/** Copies every tensor of `state` to the host, in the same order. */
export async function toHost(state: State): Promise<Map<string, HostTensor>> {
  expectState('toHost', state);
  // A tensor with several names (tied weights) is read once, and stays one on the host.
  const copies = new Map<Tensor, Promise<HostTensor>>();
  const entries = [...state].map(async ([name, value]): Promise<[string, HostTensor]> => {
    if (!(value instanceof Tensor)) return [name, value];
    const copy = copies.get(value) ?? hostCopy(value);
    copies.set(value, copy);
    return [name, await copy];
  });
  return new Map(await Promise.all(entries));
}

async function hostCopy(tensor: Tensor): Promise<HostTensor> {
  return { shape: tensor.shape, dtype: tensor.dtype, data: await tensor.data() };
}

/** Faults of a state with different values for two names of one tensor. Values on the device are not compared. */
export function differingTied(
  pairs: readonly { readonly name: string; readonly target: Tensor; readonly source: Tensor | HostTensor }[],
): readonly string[] {
  const first = new Map<Tensor, (typeof pairs)[number]>();
  return pairs.flatMap((pair) => {
    const other = first.get(pair.target) ?? pair;
    first.set(pair.target, other);
    const [a, b] = [other.source, pair.source];
    if (a === b || a instanceof Tensor || b instanceof Tensor) return [];
    const same = a.data.length === b.data.length && a.data.every((value, i) => Object.is(value, b.data[i]));
    return same ? [] : [`${other.name} and ${pair.name} are one tensor here, but have different saved values`];
  });
}

/** The entries of `state` whose names start with `prefix`, without it. */
export function under<T>(state: ReadonlyMap<string, T>, prefix: string): Map<string, T> {
  const entries = [...state].filter(([name]) => name.startsWith(prefix));
  return new Map(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** `state` with `prefix` before each name. */
export function prefixed<T>(state: ReadonlyMap<string, T>, prefix: string): Map<string, T> {
  return new Map([...state].map(([name, value]) => [prefix + name, value]));
}

/** The first names of a list and the number of others, for error messages. */
export function listed(names: readonly string[], most = 5): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(', ')} and ${more} more` : names.join(', ');
}
