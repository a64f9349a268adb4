// A network of three layers learns to classify two moons; its decision boundary becomes a picture.
import { mkdirSync, writeFileSync } from 'node:fs';
import { png } from '@mien/fer/node';
import { Adam, binaryCrossEntropyWithLogits, Linear, Sequential, Tanh } from '@mien/nn';
import { Generator, init, noGrad, scope, tensor } from '@mien/tensor';

const count = 400;
const [low, high, cells] = [-1.6, 2.6, 60];

await init();
const random = new Generator(7);
const noise = (): number => (random.uniform() + random.uniform() + random.uniform() - 1.5) * 0.25;

/** Half of the points on the upper moon (label 0), half on the lower one (label 1). */
const points = Array.from({ length: count }, (_, i) => {
  const angle = random.uniform() * Math.PI;
  const label = i % 2;
  const x = label === 0 ? Math.cos(angle) : 1 - Math.cos(angle);
  const y = label === 0 ? Math.sin(angle) : 0.5 - Math.sin(angle);
  return { x: x + noise(), y: y + noise(), label };
});

const generator = new Generator(1);
using model = new Sequential(
  new Linear(2, 16, { generator }),
  new Tanh(),
  new Linear(16, 16, { generator }),
  new Tanh(),
  new Linear(16, 1, { generator }),
);
using optimizer = new Adam(model.namedParameters(), { lr: 0.02 });
const inputs = tensor(points.map(({ x, y }) => [x, y]));
const labels = tensor(points.map(({ label }) => [label]));

for (let step = 0; step <= 300; step++) {
  const loss = scope(() => {
    const loss = binaryCrossEntropyWithLogits(model.forward(inputs), labels);
    loss.backward();
    optimizer.step();
    optimizer.zeroGrad();
    return loss.detach();
  });
  if (step % 100 === 0) console.log(`step ${step}: loss ${(await loss.item()).toFixed(4)}`);
  loss.dispose();
}

/** The probability of label 1 at each position. */
async function predict(positions: number[][]): Promise<number[]> {
  const probabilities = scope(() => noGrad(() => model.forward(tensor(positions)).sigmoid()));
  const values = Array.from(await probabilities.data());
  probabilities.dispose();
  return values;
}

const at = (i: number): number => low + ((i + 0.5) / cells) * (high - low);
const grid = Array.from({ length: cells * cells }, (_, i) => [at(i % cells), at(Math.floor(i / cells))]);
const field = await predict(grid);
const pixel = (v: number): number => ((v - low) / (high - low)) * 480;
const squares = field.map((p, i) => {
  const [x, y] = grid[i] as [number, number];
  const fill = `rgb(${Math.round(70 + 170 * p)} ${Math.round(130 - 20 * p)} ${Math.round(230 - 150 * p)})`;
  return `<rect x="${pixel(x) - 4}" y="${476 - pixel(y)}" width="8" height="8" fill="${fill}"/>`;
});
const dots = points.map(
  ({ x, y, label }) =>
    `<circle cx="${pixel(x)}" cy="${480 - pixel(y)}" r="4" stroke="white" fill="${label ? '#b3390e' : '#1f4fa3'}"/>`,
);
mkdirSync('runs/examples', { recursive: true });
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="480" height="480"><g shape-rendering="crispEdges" opacity=".55">${squares.join('')}</g>${dots.join('')}</svg>`;
writeFileSync('runs/examples/two-moons.png', png(svg));

const right = (await predict(points.map(({ x, y }) => [x, y]))).filter(
  (p, i) => Number(p > 0.5) === points[i]?.label,
).length;
console.log(`${right} of ${count} points classified correctly; the boundary is in runs/examples/two-moons.png`);
