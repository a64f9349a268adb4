// Named texts that outlive the page: in browsers, in IndexedDB.

const database = 'mien';
const store = 'tuned';

/** Whether the environment turns the tuner on: never in a browser. */
export function environmentTune(): boolean {
  return false;
}

/** The names of all texts. */
export async function storedNames(): Promise<string[]> {
  return (await inStore('readonly', (texts) => texts.getAllKeys())).map(String).sort();
}

/** The text of `name`, or null. */
export async function readText(name: string): Promise<string | null> {
  const text: unknown = await inStore('readonly', (texts) => texts.get(name));
  return typeof text === 'string' ? text : null;
}

/** Stores `text` as `name`. */
export async function writeText(name: string, text: string): Promise<void> {
  await inStore('readwrite', (texts) => texts.put(text, name));
}

/** Deletes the text of `name`, if there is one. */
export async function deleteText(name: string): Promise<void> {
  await inStore('readwrite', (texts) => texts.delete(name));
}

/** Makes one request in its own transaction. */
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
