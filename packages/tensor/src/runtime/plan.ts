// Which temporaries of a recorded call may lie in one buffer: those that are never in use together. Largest first, each in the
// tightest buffer that is free for as long as it is used ("greedy by size" of Pisarchyk and Lee, 2020).

/** A temporary: its bytes, and the first and last command that use it. */
export interface Use {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Shared buffers: the bytes of each, and which one each use lies in. */
export interface Plan {
  readonly sizes: readonly number[];
  readonly places: readonly number[];
}

/** Plans buffers for `uses`. */
export function planBuffers(uses: readonly Use[]): Plan {
  const sizes: number[] = [];
  const inside: Use[][] = [];
  const places = new Array<number>(uses.length).fill(0);
  const bySize = [...uses.keys()].sort((a, b) => (uses[b] as Use).bytes - (uses[a] as Use).bytes);
  for (const i of bySize) {
    const use = uses[i] as Use;
    // Sizes fall, so the last that is free is the tightest.
    let place = inside.findLastIndex((others) =>
      others.every(({ first, last }) => last < use.first || use.last < first),
    );
    if (place < 0) {
      place = sizes.push(use.bytes) - 1;
      inside.push([]);
    }
    inside[place]?.push(use);
    places[i] = place;
  }
  return { sizes, places };
}
