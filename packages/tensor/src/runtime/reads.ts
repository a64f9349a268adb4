// Tracks which memory a function reads, which must be unchanged when a checkpointed function runs again.

import { slot, withValue } from '../session.ts';
import type { Storage } from './storage.ts';

const current = slot<Reads | null>(() => null);

/** Collects the reads of the running function, if any. */
export function currentReads(): Reads | null {
  return current.value;
}

/** Memory that a function read, with its version at that time. */
export class Reads {
  readonly #versions = new Map<Storage, number>();

  /** Runs `fn` and records the memory that it reads, except what it wrote or released. */
  watch<T>(fn: () => T): T {
    try {
      return withValue(current, this, fn);
    } finally {
      for (const [storage, version] of this.#versions) {
        if (storage.released || storage.version !== version) this.#versions.delete(storage);
      }
    }
  }

  /** Records a read of `storage`. */
  note(storage: Storage): void {
    if (!this.#versions.has(storage)) this.#versions.set(storage, storage.version);
  }

  /** The first that was written afterwards, or null. */
  get changed(): Storage | null {
    for (const [storage, version] of this.#versions) {
      if (!storage.released && storage.version !== version) return storage;
    }
    return null;
  }

  /** Clears all reads. */
  clear(): void {
    this.#versions.clear();
  }
}
