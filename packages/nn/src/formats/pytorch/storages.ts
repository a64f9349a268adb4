// The storages that a pickle names by persistent ids.
import { isCount } from './globals.ts';
import { isList, type PickleValue, type Refuse, Storage, StorageType, shown } from './values.ts';

/** All storages of one file, each once. */
export class Storages {
  readonly #roots = new Map<string, Storage>();

  /** The storages whose bytes are in the file, in the order of first use. */
  roots(): readonly Storage[] {
    return [...this.#roots.values()];
  }

  /** The storage of ('storage', type, key, location, elements), in legacy files with a view (key, first, elements) of it. */
  readonly persistent = (id: PickleValue, refuse: Refuse): Storage => {
    if (!isList(id)) throw refuse(`expected a tuple as persistent id, got ${shown(id)}`);
    const [kind, type, key, location, elements, view] = id;
    if (kind === 'module') {
      throw refuse(
        "it holds a pickled module instead of weights, and no code in files is run; in Python: torch.save(model.state_dict(), 'weights.pt')",
      );
    }
    if (kind !== 'storage') throw refuse(`expected a persistent id of kind "storage", got ${shown(kind)}`);
    if (!(type instanceof StorageType)) throw refuse(`expected a storage class, got ${shown(type)}`);
    if (typeof key !== 'string') throw refuse(`expected a string as storage key, got ${shown(key)}`);
    if (typeof location !== 'string') throw refuse(`expected a device as storage location, got ${shown(location)}`);
    if (!isCount(elements)) throw refuse(`expected a non-negative number of elements, got ${shown(elements)}`);
    const known = this.#roots.get(key);
    if (known && (known.type !== type || known.elements !== elements)) {
      throw refuse(
        `storage ${shown(key)} has ${elements} elements of ${type.dtype} here, but ${known.elements} of ${known.type.dtype} before`,
      );
    }
    const root = known ?? new Storage(key, type, elements, location);
    this.#roots.set(key, root);
    return view === undefined || view === null ? root : viewOf(root, view, refuse);
  };
}

function viewOf(root: Storage, view: PickleValue, refuse: Refuse): Storage {
  const [key, start, elements] = isList(view) ? view : [];
  if (typeof key === 'string' && isCount(start) && isCount(elements) && start + elements <= root.elements) {
    return new Storage(key, root.type, elements, root.location, { root, start });
  }
  throw refuse(`expected a view (key, first, elements) within ${root.elements} elements, got ${shown(view)}`);
}
