// The page: orders to the worker, and pictures of what it says. It does no training itself.
import { Chart } from './chart.ts';
import type { News, Order, Reading } from './messages.ts';

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const button = element<HTMLButtonElement>('run');
const status = element('status');
const address = new URLSearchParams(location.search);
const setting = (name: string, otherwise: number): number => Number(address.get(name) ?? otherwise);

const loss = new Chart(element<HTMLCanvasElement>('loss'), { low: 0, high: 2.2, show: (v) => v.toFixed(2) });
const accuracy = new Chart(element<HTMLCanvasElement>('accuracy'), {
  low: 0,
  high: 1,
  show: (v) => `${Math.round(100 * v)} %`,
});

const worker = new Worker('worker.js', { type: 'module' });
const order = (what: Order): void => worker.postMessage(what);
let state: 'new' | 'running' | 'pausing' | 'paused' | 'ended' = 'new';

if (!('gpu' in navigator)) {
  button.disabled = true;
  status.textContent = 'This browser has no WebGPU. Current Chrome and Edge have it; on Linux it may need a flag.';
}

button.addEventListener('click', () => {
  if (state === 'new') {
    order({ kind: 'start', images: setting('images', 120), epochs: setting('epochs', 12), seed: setting('seed', 1) });
    status.textContent = 'Drawing faces …';
    become('running');
  } else if (state === 'running') {
    order({ kind: 'pause' });
    become('pausing');
  } else if (state === 'paused') {
    order({ kind: 'resume' });
    become('running');
  }
});

function become(next: typeof state): void {
  state = next;
  document.body.dataset.state = next;
  button.textContent = { new: 'Start', running: 'Pause', pausing: 'Pausing …', paused: 'Go on', ended: 'Done' }[next];
  button.disabled = next === 'pausing' || next === 'ended';
}

worker.addEventListener('message', ({ data: news }: MessageEvent<News>) => {
  if (news.kind === 'ready') {
    element('adapter').textContent = news.adapter;
    element('parameters').textContent = news.parameters.toLocaleString('en');
    for (const chart of [loss, accuracy]) chart.span = news.steps;
  } else if (news.kind === 'compiling') {
    status.textContent = `Compiling kernels: ${news.done} of ${news.total}`;
  } else if (news.kind === 'step') {
    loss.add('training', news.step, news.loss);
    accuracy.add('training', news.step, news.accuracy);
    element('speed').textContent = `${Math.round(news.imagesPerSecond)} images/s`;
    element('step').textContent = `${news.step} of ${loss.span}`;
    status.textContent = `Loss ${loss.smoothed('training')?.toFixed(3)}`;
    document.body.dataset.loss = String(loss.smoothed('training'));
    document.body.dataset.step = String(news.step);
  } else if (news.kind === 'test') {
    accuracy.add('test', news.step, news.accuracy);
    element('tested').textContent = `${(100 * news.accuracy).toFixed(1)} %`;
    element('faces').replaceChildren(...news.readings.map(card));
  } else if (news.kind === 'paused') become('paused');
  else if (news.kind === 'done') become('ended');
  else {
    status.textContent = news.message;
    become('ended');
  }
});

/** A face with what it was drawn as and how the network reads it. */
function card({ pixels, drawnAs, readAs, score }: Reading): HTMLElement {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [48, 48];
  const image = new ImageData(48, 48);
  pixels.forEach((gray, i) => {
    image.data.set([gray, gray, gray, 255], 4 * i);
  });
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  const figure = document.createElement('figure');
  figure.className = drawnAs === readAs ? 'right' : 'wrong';
  const caption = document.createElement('figcaption');
  const guess = document.createElement('b');
  guess.textContent = `${readAs} ${Math.round(100 * score)} %`;
  caption.append(drawnAs, guess);
  figure.append(canvas, caption);
  return figure;
}
