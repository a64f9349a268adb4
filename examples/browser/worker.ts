// Trains nano on synthetic faces in a worker, so that the page stays responsive.
import { Cropper, drawFaces, type Faces, PIXELS, split, Training, trainingConfig } from '@mien/fer';
import { init, noGrad, scope, softmax, tensor, warmUp } from '@mien/tensor';
import type { Command, Prediction, WorkerEvent } from './messages.ts';

const send = (event: WorkerEvent): void => postMessage(event);
const faceCount = 7;

/** Pending while training is paused. */
let pause: Promise<void> = Promise.resolve();
let resume: () => void = () => {};

addEventListener('message', ({ data: command }: MessageEvent<Command>) => {
  if (command.kind === 'start') train(command).catch((reason) => send({ kind: 'failed', message: messageOf(reason) }));
  if (command.kind === 'resume') resume();
  if (command.kind === 'pause') {
    pause = new Promise((resolve) => {
      resume = resolve;
    });
  }
});

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

async function train({ images, epochs, seed }: Command & { kind: 'start' }): Promise<void> {
  const { facts } = await init();
  const faces = drawFaces({ seed, training: images, publicTest: 4, privateTest: 10 });
  const config = trainingConfig('nano', 'drawn', { epochs });
  const training = new Training({ model: 'nano', train: split(faces, 'Training'), config, seed });
  const parameters = training.network.parameters().reduce((sum, { size }) => sum + size, 0);
  const tests = split(faces, 'PrivateTest');
  send({ kind: 'ready', adapter: facts.name, parameters, steps: epochs * training.stepsPerEpoch });

  let [start, done] = [performance.now(), 0];
  const report = (reports: Awaited<ReturnType<Training['step']>>): void => {
    for (const { step, loss, correct, images } of reports) {
      done += images;
      const imagesPerSecond = done / ((performance.now() - start) / 1000);
      send({ kind: 'step', step: step + 1, loss, accuracy: correct / images, imagesPerSecond });
    }
  };
  const test = async (): Promise<void> => {
    const { accuracy } = await training.evaluate(tests, { crops: 1 });
    send({ kind: 'test', step: training.steps, accuracy, predictions: await predict(training, faces) });
  };
  const reportCompilation = <T>(fn: () => Promise<T>): Promise<T> =>
    warmUp(fn, (done, total) => send({ kind: 'compiling', done, total }));
  await reportCompilation(test);
  while (!training.done) {
    [start, done] = [performance.now(), 0];
    while (!training.atEpochEnd) {
      const paused = pause;
      if (await isPending(paused)) {
        report(await training.drain());
        send({ kind: 'paused' });
        await paused;
        pause = Promise.resolve();
        [start, done] = [performance.now(), 0];
      }
      report(await reportCompilation(() => training.step()));
    }
    report(await training.drain());
    await training.finishEpoch();
    await test();
  }
  training.dispose();
  send({ kind: 'done' });
}

/** Whether a promise is pending. */
async function isPending(promise: Promise<void>): Promise<boolean> {
  const pending = {};
  // Lets the event loop deliver a queued `pause`.
  await new Promise((resolve) => setTimeout(resolve, 0));
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending;
}

/** Predictions for one test face of each expression. */
async function predict(training: Training, faces: Faces): Promise<Prediction[]> {
  const tests = split(faces, 'PublicTest');
  const firstOfClass = faces.classes.map((_, label) => tests.indices.find((i) => faces.labels[i] === label) as number);
  const chosen = firstOfClass.slice(0, faceCount);
  const { input } = training.config;
  const cropper = new Cropper(input);
  const pixels = cropper.cut(
    faces.images,
    chosen.map((index) => cropper.center(index)),
  );
  training.network.eval();
  const probabilities = scope(() =>
    noGrad(() => {
      const x = tensor(pixels, { shape: [chosen.length, input.channels, input.size, input.size] });
      return softmax(training.network.forward(x), 1);
    }),
  );
  training.network.train();
  const values = await probabilities.data();
  probabilities.dispose();
  return chosen.map((index, row) => {
    const ofFace = values.subarray(row * faces.classes.length, (row + 1) * faces.classes.length);
    const best = ofFace.indexOf(Math.max(...ofFace));
    return {
      pixels: faces.images.slice(index * PIXELS, (index + 1) * PIXELS),
      label: faces.classes[faces.labels[index] as number] as string,
      predicted: faces.classes[best] as string,
      probability: ofFace[best] as number,
    };
  });
}
