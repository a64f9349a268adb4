// Trains in a worker, so that the page never freezes: drawn faces, the nano network, the same packages as in Node.
import { Cropper, drawFaces, type Faces, PIXELS, split, Training, trainingConfig } from '@mien/fer';
import { init, noGrad, scope, softmax, tensor, warmUp } from '@mien/tensor';
import type { News, Order, Reading } from './messages.ts';

const tell = (news: News): void => postMessage(news);
const shownFaces = 7;

/** Resolves at once while training, after `resume` while paused. */
let gate: Promise<void> = Promise.resolve();
let open: () => void = () => {};

addEventListener('message', ({ data: order }: MessageEvent<Order>) => {
  if (order.kind === 'start') train(order).catch((reason) => tell({ kind: 'failed', message: messageOf(reason) }));
  if (order.kind === 'resume') open();
  if (order.kind === 'pause') {
    gate = new Promise((done) => {
      open = done;
    });
  }
});

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

async function train({ images, epochs, seed }: Order & { kind: 'start' }): Promise<void> {
  const { facts } = await init();
  const faces = drawFaces({ seed, training: images, publicTest: 4, privateTest: 10 });
  const recipe = trainingConfig('nano', 'drawn', { epochs });
  const training = new Training({ model: 'nano', train: split(faces, 'Training'), protocol: recipe, seed });
  const parameters = training.network.parameters().reduce((sum, { size }) => sum + size, 0);
  const tests = split(faces, 'PrivateTest');
  tell({ kind: 'ready', adapter: facts.name, parameters, steps: epochs * training.stepsPerEpoch });

  let [since, done] = [performance.now(), 0];
  const report = (reports: Awaited<ReturnType<Training['step']>>): void => {
    for (const { step, loss, correct, images } of reports) {
      done += images;
      const imagesPerSecond = done / ((performance.now() - since) / 1000);
      tell({ kind: 'step', step: step + 1, loss, accuracy: correct / images, imagesPerSecond });
    }
  };
  const test = async (): Promise<void> => {
    const { accuracy } = await training.evaluate(tests, { crops: 1 });
    tell({ kind: 'test', step: training.steps, accuracy, readings: await read(training, faces) });
  };
  const compiling = <T>(fn: () => Promise<T>): Promise<T> =>
    warmUp(fn, (done, total) => tell({ kind: 'compiling', done, total }));
  await compiling(test);
  while (!training.done) {
    [since, done] = [performance.now(), 0];
    while (!training.atEpochEnd) {
      const waiting = gate;
      if (await isClosed(waiting)) {
        report(await training.drain());
        tell({ kind: 'paused' });
        await waiting;
        gate = Promise.resolve();
        [since, done] = [performance.now(), 0];
      }
      report(await compiling(() => training.step()));
    }
    report(await training.drain());
    await training.finishEpoch();
    await test();
  }
  training.dispose();
  tell({ kind: 'done' });
}

/** Whether a promise is still pending. */
async function isClosed(promise: Promise<void>): Promise<boolean> {
  const pending = {};
  // A turn of the event loop lets a `pause` that waits in the queue come in.
  await new Promise((turn) => setTimeout(turn, 0));
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending;
}

/** How the network reads one unseen face of each expression. */
async function read(training: Training, faces: Faces): Promise<Reading[]> {
  const tests = split(faces, 'PublicTest');
  const firsts = faces.classes.map((_, label) => tests.indices.find((i) => faces.labels[i] === label) as number);
  const chosen = firsts.slice(0, shownFaces);
  const { input } = training.protocol;
  const cropper = new Cropper(input);
  const pixels = cropper.cut(
    faces.images,
    chosen.map((index) => cropper.center(index)),
  );
  training.network.eval();
  const scores = scope(() =>
    noGrad(() => {
      const x = tensor(pixels, { shape: [chosen.length, input.channels, input.size, input.size] });
      return softmax(training.network.forward(x), 1);
    }),
  );
  training.network.train();
  const values = await scores.data();
  scores.dispose();
  return chosen.map((index, row) => {
    const own = values.subarray(row * faces.classes.length, (row + 1) * faces.classes.length);
    const best = own.indexOf(Math.max(...own));
    return {
      pixels: faces.images.slice(index * PIXELS, (index + 1) * PIXELS),
      drawnAs: faces.classes[faces.labels[index] as number] as string,
      readAs: faces.classes[best] as string,
      score: own[best] as number,
    };
  });
}
