// A kernel of the start check with known results.
/** One kernel with known results. */
export interface Probe {
  /** The kind of operation, for errors. */
  readonly kind: string;
  readonly code: string;
  /** Workgroups. */
  readonly groups: number;
  /** Bound first, in this order. */
  readonly inputs: readonly (Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>)[];
  /** Bytes of each output, bound after the inputs. */
  readonly outputs: readonly number[];
  /** The first error in the outputs, or null. */
  readonly verify: (outputs: readonly ArrayBuffer[]) => string | null;
}

/** Random words, different in each check. */
export function randomWords(count: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: count }, () => Math.random() * 2 ** 32);
}

/** The first word that differs, as text, or null. */
export function difference(found: ArrayLike<number>, expected: ArrayLike<number>, name = ''): string | null {
  for (let i = 0; i < expected.length; i++) {
    if (found[i] !== expected[i]) return `${name}element ${i} is ${found[i]}, expected ${expected[i]}`;
  }
  return null;
}
