// The storages that a pickle names by persistent ids.
import { isCount } from './globals.ts';
import { isList, type PickleValue, type Refuse, Storage, StorageType, shown } from './values.ts';

/** All storages of one file, each once. */
export class Storages {
  readonly #roots = new Map<string, Storage>();

  /** The storages whose bytes are in the file, in the order in which they were met. */
  roots(): readonly Storage[] {
    return [...this.#roots.values()];
  }

  /** What ('storage', type, key, location, elements) stands for; in legacy files (key, first, elements) of a view may follow. */
  readonly persistent = (id: PickleValue, refuse: Refuse): Storage => {
    if (!isList(id)) throw refuse(`the persistent id ${shown(id)}, a tuple is expected`);
    const [kind, type, key, location, elements, view] = id;
    if (kind === 'module') {
      throw refuse(
        "it holds a whole module, not its weights alone, and no code is run; in Python: torch.save(model.state_dict(), 'weights.pt')",
      );
    }
    if (kind !== 'storage') throw refuse(`a persistent id of the kind ${shown(kind)}, "storage" is expected`);
    if (!(type instanceof StorageType))
      throw refuse(`a storage of type ${shown(type)}, a class of storages is expected`);
    if (typeof key !== 'string') throw refuse(`a storage called ${shown(key)}, a text is expected`);
    if (typeof location !== 'string') throw refuse(`a storage saved on ${shown(location)}, a device is expected`);
    if (!isCount(elements)) throw refuse(`a storage of ${shown(elements)} elements, 0 or more are expected`);
    const known = this.#roots.get(key);
    if (known && (known.type !== type || known.elements !== elements)) {
      throw refuse(
        `storage ${shown(key)} is ${elements} of ${type.dtype} here, and ${known.elements} of ${known.type.dtype} before`,
      );
    }
    const root = known ?? new Storage(key, type, elements, location);
    this.#roots.set(key, root);
    return view === undefined || view === null ? root : part(root, view, refuse);
  };
}

function part(root: Storage, view: PickleValue, refuse: Refuse): Storage {
  const [key, start, elements] = isList(view) ? view : [];
  if (typeof key === 'string' && isCount(start) && isCount(elements) && start + elements <= root.elements) {
    return new Storage(key, root.type, elements, root.location, { root, start });
  }
  throw refuse(
    `a view ${shown(view)} of a storage of ${root.elements} elements, its name, start and size are expected`,
  );
}
