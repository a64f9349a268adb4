import { dropout, type Generator, type RandomOptions, type Tensor, unchanging, ValueError } from '@mien/tensor';
import { Module } from '../module.ts';

/** In training, zeroes each element with probability p and divides the others by 1 - p; else the identity. */
export class Dropout extends Module {
  readonly p: number;
  readonly #generator: Generator | null;

  constructor(p = 0.5, options: RandomOptions = {}) {
    super();
    if (!(p >= 0 && p <= 1)) throw new ValueError(`Dropout: p ${p} is not a probability`);
    this.p = p;
    this.#generator = options.generator ?? null;
  }

  forward(x: Tensor): Tensor {
    unchanging('p of Dropout', () => this.p);
    if (!this.training || this.p === 0) return x;
    return dropout(x, this.p, { training: true, ...(this.#generator ? { generator: this.#generator } : {}) });
  }
}
