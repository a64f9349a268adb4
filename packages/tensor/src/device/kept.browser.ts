// Texts that outlive the page, by name: in browsers in IndexedDB.

const database = 'mien';
const store = 'tuned';

/** Whether the environment asks for the tuner: never here. */
export function environmentTune(): boolean {
  return false;
}

/** The names of all texts. */
export async function keptNames(): Promise<string[]> {
  return (await inStore('readonly', (texts) => texts.getAllKeys())).map(String).sort();
}

/** The text of `name`, or null. */
export async function readKept(name: string): Promise<string | null> {
  const text: unknown = await inStore('readonly', (texts) => texts.get(name));
  return typeof text === 'string' ? text : null;
}

/** Keeps `text` as `name`. */
export async function writeKept(name: string, text: string): Promise<void> {
  await inStore('readwrite', (texts) => texts.put(text, name));
}

/** Forgets `name`. */
export async function removeKept(name: string): Promise<void> {
  await inStore('readwrite', (texts) => texts.delete(name));
}

/** Makes one request in a transaction of its own. */
async function inStore<T>(mode: IDBTransactionMode, request: (texts: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(database, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(store);
  const opened = await settled(opening);
  try {
    return await settled(request(opened.transaction(store, mode).objectStore(store)));
  } finally {
    opened.close();
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
