// Assigns the temporaries of a recorded call to shared buffers, so that those used at the same time never overlap: largest first, each
// in the smallest buffer that is free while it is used ("greedy by size" of Pisarchyk and Lee, 2020).

/** A temporary: its bytes, and the first and last command that use it. */
export interface Use {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Shared buffers: the bytes of each, and the index of the buffer of each use. */
export interface Plan {
  readonly sizes: readonly number[];
  readonly places: readonly number[];
}

/** Plans buffers for `uses`. */
export function planBuffers(uses: readonly Use[]): Plan {
  const sizes: number[] = [];
  const assigned: Use[][] = [];
  const places = new Array<number>(uses.length).fill(0);
  const bySize = [...uses.keys()].sort((a, b) => (uses[b] as Use).bytes - (uses[a] as Use).bytes);
  for (const i of bySize) {
    const use = uses[i] as Use;
    // Sizes decrease, so the last free one is the smallest.
    let place = assigned.findLastIndex((others) =>
      others.every(({ first, last }) => last < use.first || use.last < first),
    );
    if (place < 0) {
      place = sizes.push(use.bytes) - 1;
      assigned.push([]);
    }
    assigned[place]?.push(use);
    places[i] = place;
  }
  return { sizes, places };
}
