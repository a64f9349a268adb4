// Which memory a function reads: what a checkpointed function must find unchanged when it runs again.

import { slot, withValue } from '../session.ts';
import type { Storage } from './storage.ts';

const current = slot<Reads | null>(() => null);

/** The memory that the function running now is watched to read, if it is. */
export function currentReads(): Reads | null {
  return current.value;
}

/** Memory that a function read, with the version it had then. */
export class Reads {
  readonly #versions = new Map<Storage, number>();

  /** Runs `fn` and notes what it reads. What it wrote itself, or gave back, is left out. */
  watch<T>(fn: () => T): T {
    try {
      return withValue(current, this, fn);
    } finally {
      for (const [storage, version] of this.#versions) {
        if (storage.released || storage.version !== version) this.#versions.delete(storage);
      }
    }
  }

  /** Notes a read of `storage`. */
  note(storage: Storage): void {
    if (!this.#versions.has(storage)) this.#versions.set(storage, storage.version);
  }

  /** The first that was written since, or null. */
  get changed(): Storage | null {
    for (const [storage, version] of this.#versions) {
      if (!storage.released && storage.version !== version) return storage;
    }
    return null;
  }

  /** Forgets everything. */
  clear(): void {
    this.#versions.clear();
  }
}
