import { dropout, type Generator, type RandomOptions, type Tensor, unchanging } from '@mien/tensor';
import { expectNumber, expectOptions } from '@mien/tensor/internal';
import { Module } from '../module.ts';

/** In training, zeroes each element with probability p and divides the others by 1 - p; in evaluation, the identity. */
export class Dropout extends Module {
  readonly p: number;
  readonly #generator: Generator | null;

  constructor(p = 0.5, options: RandomOptions = {}) {
    super();
    expectNumber('Dropout', 'p', p, 0, 1);
    expectOptions('Dropout', options, ['generator']);
    this.p = p;
    this.#generator = options.generator ?? null;
  }

  forward(x: Tensor): Tensor {
    unchanging('p of Dropout', () => this.p);
    if (!this.training || this.p === 0) return x;
    return dropout(x, this.p, { training: true, ...(this.#generator ? { generator: this.#generator } : {}) });
  }
}
