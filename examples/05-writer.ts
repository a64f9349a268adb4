// A character transformer learns a poem by heart and writes it: Embedding, LayerNorm, MultiheadAttention, the default collate.
// The first argument is the number of epochs, 20 by default: node scripts/run.mjs examples/05-writer.ts
import {
  AdamW,
  buffer,
  crossEntropy,
  DataLoader,
  Embedding,
  LayerNorm,
  Linear,
  Module,
  MultiheadAttention,
} from '@mien/nn';
import { arange, capture, gelu, init, manualSeed, noGrad, scope, type Tensor, tensor } from '@mien/tensor';

// Lewis Carroll, Through the Looking-Glass (1871).
const poem = `'Twas brillig, and the slithy toves
Did gyre and gimble in the wabe:
All mimsy were the borogoves,
And the mome raths outgrabe.

"Beware the Jabberwock, my son!
The jaws that bite, the claws that catch!
Beware the Jubjub bird, and shun
The frumious Bandersnatch!"
`;
const [context, width, heads] = [24, 48, 4];
const epochs = Number(process.argv[2] ?? 20);
const letters = [...new Set(poem)].sort();
const codes = Int32Array.from(poem, (letter) => letters.indexOf(letter));

/** Attention to the letters so far, then a network for each letter, both added to x [N, L, width]. */
class Block extends Module {
  readonly norm1 = new LayerNorm(width);
  readonly attention = new MultiheadAttention(width, heads, { batchFirst: true });
  readonly norm2 = new LayerNorm(width);
  readonly enter = new Linear(width, 4 * width);
  readonly leave = new Linear(4 * width, width);

  forward(x: Tensor): Tensor {
    const h = this.norm1.forward(x);
    const [attended] = this.attention.forward(h, h, h, { isCausal: true, needWeights: false });
    const y = x.add(attended);
    return y.add(this.leave.forward(gelu(this.enter.forward(this.norm2.forward(y)))));
  }
}

/** The logits [N, L, letters] of the letter after each of [N, L]. */
class Writer extends Module {
  readonly letter = new Embedding(letters.length, width);
  readonly place = new Embedding(context, width);
  readonly places = buffer(arange(0, context, 1, { dtype: 'int32' }));
  readonly blocks = [new Block(), new Block()];
  readonly norm = new LayerNorm(width);
  readonly head = new Linear(width, letters.length);

  forward(index: Tensor): Tensor {
    const places = this.places.slice(0, 0, index.shape[1] as number);
    const x = this.letter.forward(index).add(this.place.forward(places));
    return this.head.forward(this.norm.forward(this.blocks.reduce((h, block) => block.forward(h), x)));
  }
}

await init();
manualSeed(1);
using model = new Writer();
using optimizer = new AdamW(model.namedParameters(), { lr: 3e-3 });
using step = capture((index: Tensor, next: Tensor) => {
  const logits = model.forward(index);
  const loss = crossEntropy(logits.reshape([-1, letters.length]), next.reshape([-1]));
  loss.backward();
  optimizer.step();
  optimizer.zeroGrad();
  return loss.detach();
});

// Samples are windows of the poem; the loader stacks them to int32 [16, 24].
const windows = {
  length: codes.length - context,
  get: (i: number) => ({ index: codes.slice(i, i + context), next: codes.slice(i + 1, i + 1 + context) }),
};
const loader = new DataLoader(windows, { batchSize: 16, shuffle: true, dropLast: true });
for (let epoch = 0; epoch < epochs; epoch++) {
  let loss = 0;
  for await (const { index, next } of loader) {
    using result = scope(() => step.run(tensor(index), tensor(next)));
    loss = await result.item();
  }
  if (epoch % 10 === 9) console.log(`epoch ${epoch + 1}: loss ${loss.toFixed(3)}`);
}

const written = [...codes.slice(0, 8)];
while (written.length < codes.length) {
  const index = Int32Array.from(written.slice(-context));
  using choice = scope(() => {
    const logits = noGrad(() => model.forward(tensor({ shape: [1, index.length], data: index })));
    return logits.slice(1, index.length - 1, index.length).argmax();
  });
  written.push(await choice.item());
}
console.log(written.map((code) => letters[code]).join(''));
const right = written.filter((code, i) => code === codes[i]).length;
console.log(`${right} of ${codes.length} characters are the poem's`);
