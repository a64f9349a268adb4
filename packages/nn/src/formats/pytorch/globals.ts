// The few names of Python that a file of weights may hold, and what each stands for here. All others are refused.
// What they are: torch/_utils.py and torch/_weights_only_unpickler.py.
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

/** What `module.name` stands for, or undefined where it is not one that weights need. */
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
  if (!isList(items)) throw refuse(`a set of ${shown(items)}, a list is expected`);
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
      if (!isList(sizes)) throw refuse(`torch.Size of ${shown(sizes)}, a tuple is expected`);
      return Object.freeze([...sizes]);
    },
    'torch.device': (args, refuse) => {
      const [kind, index] = args;
      if (typeof kind !== 'string') throw refuse(`torch.device of ${shown(kind)}, a name is expected`);
      return typeof index === 'number' ? `${kind}:${index}` : kind;
    },
    '__builtin__.set': list,
    'builtins.set': list,
    '_codecs.encode': ([text, coding], refuse) => {
      if (typeof text !== 'string' || coding !== 'latin1') {
        throw refuse(`_codecs.encode of ${shown(text)} and ${shown(coding)}, a text and "latin1" are expected`);
      }
      return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    },
  } satisfies Record<string, Callable['call']>).map(([name, call]) => [name, new Callable(name, call)]),
);

/** A dict from nothing, from a dict, or from a list of pairs. */
function dict([pairs]: readonly PickleValue[], refuse: Refuse): PickleValue {
  if (pairs === undefined) return new Map();
  if (pairs instanceof Map) return new Map(pairs);
  if (!isList(pairs)) throw refuse(`a dict of ${shown(pairs)}, a list of pairs is expected`);
  const found = new Map<PickleValue, PickleValue>();
  for (const pair of pairs) {
    if (!isList(pair) || pair.length !== 2) throw refuse(`a dict of ${shown(pair)}, pairs are expected`);
    found.set(...(pair as readonly [PickleValue, PickleValue]));
  }
  return found;
}

function parameter([data]: readonly PickleValue[], refuse: Refuse): PickleValue {
  if (data instanceof PytorchTensor) return data;
  throw refuse(`a parameter of ${shown(data)}, a tensor is expected`);
}

/** More dimensions than any tensor of PyTorch's operations. */
const MOST_DIMENSIONS = 64;

/** (storage, offset, shape, stride, ...): what follows tells of gradients and hooks. */
function tensor([storage, offset, shape, stride]: readonly PickleValue[], refuse: Refuse): PickleValue {
  if (!(storage instanceof Storage)) throw refuse(`a tensor on ${shown(storage)}, a storage is expected`);
  if (!isCount(offset)) throw refuse(`a tensor that starts at element ${shown(offset)}, 0 or more is expected`);
  if (!isCounts(shape)) throw refuse(`a tensor whose shape is ${shown(shape)}, a tuple of sizes is expected`);
  if (!isCounts(stride)) throw refuse(`a tensor whose strides are ${shown(stride)}, a tuple from 0 on is expected`);
  if (shape.length !== stride.length || shape.length > MOST_DIMENSIONS) {
    throw refuse(
      `a tensor of ${shape.length} sizes and ${stride.length} strides, expected as many of both, at most ${MOST_DIMENSIONS}`,
    );
  }
  const words = `[${shape.join(', ')}] with strides [${stride.join(', ')}]`;
  if (!shape.includes(0)) {
    const last = shape.reduce((sum, size, dim) => sum + (size - 1) * (stride[dim] as number), offset);
    if (!(last < storage.elements)) {
      throw refuse(
        `a tensor ${words} from element ${offset} on ends at ${last}, outside its storage of ${storage.elements} elements`,
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
