// Tensors by name, on the device or on the host: what state dicts, optimiser states and files exchange.
import { type DType, Tensor, type TypedArray } from '@mien/tensor';

/** A tensor's values in host memory, as files hold them. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: TypedArray;
}

/** Tensors by their dotted names. */
export type State = ReadonlyMap<string, Tensor | HostTensor>;

/** Copies every tensor of `state` to the host, in the same order. */
export async function toHost(state: State): Promise<Map<string, HostTensor>> {
  const copies = [...state].map(async ([name, value]): Promise<[string, HostTensor]> => {
    if (!(value instanceof Tensor)) return [name, value];
    return [name, { shape: value.shape, dtype: value.dtype, data: await value.data() }];
  });
  return new Map(await Promise.all(copies));
}

/** The part of `state` whose names start with `prefix`, under the names that follow it. */
export function under<T>(state: ReadonlyMap<string, T>, prefix: string): Map<string, T> {
  const found = [...state].filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** The names of `state` with `prefix` before each. */
export function prefixed<T>(state: ReadonlyMap<string, T>, prefix: string): Map<string, T> {
  return new Map([...state].map(([name, value]) => [prefix + name, value]));
}

/** The first few of a list of names, and how many more there are: for error messages. */
export function listed(names: readonly string[], most = 5): string {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(', ')} and ${more} more` : names.join(', ');
}
