// The page: sends commands to the worker and displays its events.
import { Chart } from './chart.ts';
import type { Command, Prediction, WorkerEvent } from './messages.ts';

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const button = element<HTMLButtonElement>('run');
const status = element('status');
const query = new URLSearchParams(location.search);
const setting = (name: string, fallback: number): number => Number(query.get(name) ?? fallback);

const loss = new Chart(element<HTMLCanvasElement>('loss'), { low: 0, high: 2.2, format: (v) => v.toFixed(2) });
const accuracy = new Chart(element<HTMLCanvasElement>('accuracy'), {
  low: 0,
  high: 1,
  format: (v) => `${Math.round(100 * v)} %`,
});

const worker = new Worker('worker.js', { type: 'module' });
const send = (command: Command): void => worker.postMessage(command);
let state: 'new' | 'running' | 'pausing' | 'paused' | 'ended' = 'new';

if (!('gpu' in navigator)) {
  button.disabled = true;
  status.textContent = 'This browser does not support WebGPU. Current Chrome and Edge do; on Linux it may need a flag.';
}

button.addEventListener('click', () => {
  if (state === 'new') {
    send({ kind: 'start', images: setting('images', 120), epochs: setting('epochs', 12), seed: setting('seed', 1) });
    status.textContent = 'Generating faces …';
    setState('running');
  } else if (state === 'running') {
    send({ kind: 'pause' });
    setState('pausing');
  } else if (state === 'paused') {
    send({ kind: 'resume' });
    setState('running');
  }
});

function setState(next: typeof state): void {
  state = next;
  document.body.dataset.state = next;
  button.textContent = { new: 'Start', running: 'Pause', pausing: 'Pausing …', paused: 'Resume', ended: 'Done' }[next];
  button.disabled = next === 'pausing' || next === 'ended';
}

worker.addEventListener('message', ({ data: event }: MessageEvent<WorkerEvent>) => {
  if (event.kind === 'ready') {
    element('adapter').textContent = event.adapter;
    element('parameters').textContent = event.parameters.toLocaleString('en');
    for (const chart of [loss, accuracy]) chart.span = event.steps;
  } else if (event.kind === 'compiling') {
    status.textContent = `Compiling kernels: ${event.done} of ${event.total}`;
  } else if (event.kind === 'step') {
    loss.add('training', event.step, event.loss);
    accuracy.add('training', event.step, event.accuracy);
    element('speed').textContent = `${Math.round(event.imagesPerSecond)} images/s`;
    element('step').textContent = `${event.step} of ${loss.span}`;
    status.textContent = `Loss ${loss.smoothed('training')?.toFixed(3)}`;
    document.body.dataset.loss = String(loss.smoothed('training'));
    document.body.dataset.step = String(event.step);
  } else if (event.kind === 'test') {
    accuracy.add('test', event.step, event.accuracy);
    element('tested').textContent = `${(100 * event.accuracy).toFixed(1)} %`;
    element('faces').replaceChildren(...event.predictions.map(card));
  } else if (event.kind === 'paused') setState('paused');
  else if (event.kind === 'done') setState('ended');
  else {
    status.textContent = event.message;
    setState('ended');
  }
});

/** A test face with its label and prediction. */
function card({ pixels, label, predicted, probability }: Prediction): HTMLElement {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [48, 48];
  const image = new ImageData(48, 48);
  pixels.forEach((gray, i) => {
    image.data.set([gray, gray, gray, 255], 4 * i);
  });
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  const figure = document.createElement('figure');
  figure.className = label === predicted ? 'right' : 'wrong';
  const caption = document.createElement('figcaption');
  const guess = document.createElement('b');
  guess.textContent = `${predicted} ${Math.round(100 * probability)} %`;
  caption.append(label, guess);
  figure.append(canvas, caption);
  return figure;
}
