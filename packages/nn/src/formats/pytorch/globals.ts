// The Python names that a file of weights may hold, and their meaning here. All others are refused.
// reference: torch/_utils.py and torch/_weights_only_unpickler.py
import {
  Callable,
  isList,
  type PickleValue,
  PytorchTensor,
  type Refuse,
  Storage,
  type StorageType,
  shown,
  storageTypes,
} from './values.ts';

/** The value of the Python name `module.name`; undefined for names that weights do not need. */
export function globalNamed(module: string, name: string): PickleValue | undefined {
  if (module === 'torch' || module === 'torch.cuda' || module === 'torch.storage') {
    const type: StorageType | undefined = storageTypes.get(name);
    if (type) return type;
  }
  if (module === 'torch' && DTYPES.includes(name)) return `torch.${name}`;
  return CALLABLES.get(`${module}.${name}`);
}

const DTYPES: readonly string[] = [
  ...[...storageTypes.values()].map(({ dtype }) => dtype),
  ...['float', 'double', 'half', 'long', 'int'],
];

const list: Callable['call'] = ([items], refuse) => {
  if (items === undefined) return [];
  if (!isList(items)) throw refuse(`set: expected a list, got ${shown(items)}`);
  return [...items];
};

const CALLABLES: ReadonlyMap<string, Callable> = new Map(
  Object.entries({
    'collections.OrderedDict': dict,
    'collections.Counter': dict,
    'torch._utils._rebuild_tensor': tensor,
    'torch._utils._rebuild_tensor_v2': tensor,
    'torch._utils._rebuild_parameter': parameter,
    'torch._utils._rebuild_parameter_with_state': parameter,
    'torch.Size': ([sizes], refuse) => {
      if (!isList(sizes)) throw refuse(`torch.Size: expected a tuple, got ${shown(sizes)}`);
      return Object.freeze([...sizes]);
    },
    'torch.device': (args, refuse) => {
      const [kind, index] = args;
      if (typeof kind !== 'string') throw refuse(`torch.device: expected a name, got ${shown(kind)}`);
      return typeof index === 'number' ? `${kind}:${index}` : kind;
    },
    '__builtin__.set': list,
    'builtins.set': list,
    '_codecs.encode': ([text, encoding], refuse) => {
      if (typeof text !== 'string' || encoding !== 'latin1') {
        throw refuse(`_codecs.encode: expected a string and "latin1", got ${shown(text)} and ${shown(encoding)}`);
      }
      return Uint8Array.from(text, (character) => character.charCodeAt(0));
    },
  } satisfies Record<string, Callable['call']>).map(([name, call]) => [name, new Callable(name, call)]),
);

/** A dict from nothing, from a dict, or from a list of pairs. */
function dict([pairs]: readonly PickleValue[], refuse: Refuse): PickleValue {
  if (pairs === undefined) return new Map();
  if (pairs instanceof Map) return new Map(pairs);
  if (!isList(pairs)) throw refuse(`dict: expected a list of pairs, got ${shown(pairs)}`);
  const entries = new Map<PickleValue, PickleValue>();
  for (const pair of pairs) {
    if (!isList(pair) || pair.length !== 2) throw refuse(`dict: expected pairs, got ${shown(pair)}`);
    entries.set(...(pair as readonly [PickleValue, PickleValue]));
  }
  return entries;
}

function parameter([data]: readonly PickleValue[], refuse: Refuse): PickleValue {
  if (data instanceof PytorchTensor) return data;
  throw refuse(`parameter: expected a tensor, got ${shown(data)}`);
}

/** PyTorch's operations support at most this many dimensions. */
const MAX_DIMENSIONS = 64;

/** _rebuild_tensor_v2(storage, offset, shape, stride, ...); the other arguments concern gradients and hooks. */
function tensor([storage, offset, shape, stride]: readonly PickleValue[], refuse: Refuse): PickleValue {
  if (!(storage instanceof Storage)) throw refuse(`tensor: expected a storage, got ${shown(storage)}`);
  if (!isCount(offset)) throw refuse(`tensor: expected a non-negative offset, got ${shown(offset)}`);
  if (!isCounts(shape)) throw refuse(`tensor: expected a tuple of sizes as shape, got ${shown(shape)}`);
  if (!isCounts(stride)) throw refuse(`tensor: expected a tuple of non-negative strides, got ${shown(stride)}`);
  if (shape.length !== stride.length || shape.length > MAX_DIMENSIONS) {
    throw refuse(
      `tensor: expected equally many sizes and strides, at most ${MAX_DIMENSIONS}, got ${shape.length} and ${stride.length}`,
    );
  }
  const layout = `[${shape.join(', ')}] with strides [${stride.join(', ')}]`;
  if (!shape.includes(0)) {
    const last = shape.reduce((sum, size, dim) => sum + (size - 1) * (stride[dim] as number), offset);
    if (!(last < storage.elements)) {
      throw refuse(
        `tensor: ${layout} at offset ${offset} ends at element ${last}, outside its storage of ${storage.elements} elements`,
      );
    }
  }
  return new PytorchTensor(storage, offset, [...shape], [...stride]);
}

/** Whether a value is a non-negative integer. */
export function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: PickleValue | undefined): value is readonly number[] {
  return isList(value) && value.every(isCount);
}
