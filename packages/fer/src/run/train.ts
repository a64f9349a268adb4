// Trains on files (Node only): data in, a run folder out, resumable at any step.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { init, tuning, ValueError, warmUp } from '@mien/tensor';
import type { FoldKind } from '../datasets/ckplus.ts';
import type { Faces, Split } from '../datasets/faces.ts';
import type { Evaluation } from '../evaluation.ts';
import { confusionMatrix } from '../figures/confusionMatrix.ts';
import { learningCurve } from '../figures/learningCurve.ts';
import { png } from '../figures/lettering.ts';
import { type DatasetName, type ModelName, type Preset, type Protocol, protocol } from '../protocol.ts';
import { type Note, type StepReport, Training } from '../training.ts';
import { foldName, obtain, type Splits, splitsOf, titleOf } from './data.ts';
import type { EpochMetrics, RunEvent, Summary } from './events.ts';
import {
  BEST,
  BEST_PRIVATE,
  freeFolder,
  LAST,
  METRICS,
  makeFolder,
  type RunNote,
  readMetrics,
  readRun,
} from './folder.ts';
import { readInitial } from './initial.ts';
import { accuracyText, interval, round, share } from './shares.ts';
import { tuneStep } from './tune.ts';

/** What `train` is told. Only `model` has no default in a new run; a resumed run takes all from its checkpoint. */
export interface TrainOptions {
  readonly model?: ModelName;
  /** A fer2013.csv or a CK+48 folder, recognised by content; without it faces are drawn. */
  readonly data?: string;
  /** Faces that are read already; goes before `data`. */
  readonly faces?: Faces;
  /** What the data must turn out to be. */
  readonly dataset?: DatasetName;
  /** Which fold of CK+ is tested, 1 to 10. Default 1. */
  readonly fold?: number;
  /** How CK+ is cut into folds. Default `reference`. */
  readonly folds?: FoldKind;
  /** A checkpoint or run folder whose weights a new run starts from; a classifier of other classes is left out. */
  readonly init?: string;
  readonly seed?: number;
  /** The run folder. Default runs/<model>-<dataset>, with a number where that exists. */
  readonly out?: string;
  /** Whose recipe. Default: the reference's for VGG and ResNet, ours for small and nano. */
  readonly preset?: Preset;
  /** Changes to the protocol of model and data set. */
  readonly protocol?: Partial<Protocol>;
  /** A run folder to go on with. */
  readonly resume?: string;
  /** Which of its checkpoints: `last` goes on exactly, `best` is the reference's way. Default `last`. */
  readonly from?: 'last' | 'best';
  /** Writes last.safetensors every so many steps, besides every epoch's end. */
  readonly checkpointEvery?: number;
  /** Ends this call after so many steps, with a checkpoint. */
  readonly stopAfter?: number;
  /** Where the run is stopped in an orderly way, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Part of the adapter's name, as `init` takes it. */
  readonly adapter?: string;
  readonly onEvent?: (event: RunEvent) => void;
}

/** Trains by the protocol of model and data set, or goes on with a run. Gives the run folder and its summary. */
export async function train(options: TrainOptions): Promise<{ readonly out: string; readonly summary: Summary }> {
  const { onEvent = () => {}, signal } = options;
  for (const name of ['checkpointEvery', 'stopAfter'] as const) {
    const steps = options[name];
    if (steps !== undefined && !(Number.isInteger(steps) && steps > 0)) {
      throw new ValueError(`train: ${name} is ${steps}, expected a whole number of steps from 1 on`);
    }
  }
  const resumed = options.resume === undefined ? null : readRun(options.resume, options.from ?? 'last');
  const model = resumed?.name ?? options.model;
  if (!model) throw new ValueError('train: which model? (model is missing)');
  if (resumed && options.model && options.model !== resumed.name) {
    throw new ValueError(`train: ${options.resume} trains ${resumed.name}, not ${options.model}; leave the model out`);
  }
  const before = (resumed?.note ?? {}) as RunNote;
  const adapter = (await init(options.adapter === undefined ? {} : { adapter: options.adapter })).facts.name;

  const data = options.data ?? before.data ?? null;
  const fold = options.fold ?? before.fold ?? 1;
  if (data === null && !options.faces && options.dataset && options.dataset !== 'drawn') {
    throw new ValueError(`train: ${options.dataset} needs the path of its data (data is missing)`);
  }
  if (resumed && options.fold !== undefined && options.fold !== before.fold) {
    throw new ValueError(`train: ${options.resume} tests fold ${before.fold}, not ${options.fold}; start a new run`);
  }
  const folds = options.folds ?? before.folds ?? 'reference';
  if (resumed && folds !== (before.folds ?? 'reference')) {
    throw new ValueError(
      `train: ${options.resume} has ${before.folds ?? 'reference'} folds, not ${folds}; start a new run`,
    );
  }
  const faces = options.faces ?? (await obtain(data, before.drawnSeed ?? options.seed ?? 1, onEvent));
  const dataset = faces.dataset as DatasetName;
  const wanted = options.dataset ?? before.dataset;
  if (wanted !== undefined && wanted !== dataset) {
    throw new ValueError(`train: ${data ?? 'the default data'} is ${dataset}, not ${wanted}`);
  }
  if (resumed && resumed.info.classes.join() !== faces.classes.join()) {
    throw new ValueError(
      `train: ${options.resume} tells ${resumed.info.classes.join(', ')} apart, ${data ?? 'the drawn set'} holds ${faces.classes.join(', ')}`,
    );
  }
  if (resumed && options.init !== undefined) {
    throw new ValueError('train: a resumed run has its own weights; leave init out, or start a new run');
  }
  const initial = options.init === undefined ? null : await readInitial(options.init, model, faces.classes);
  const splits = splitsOf(faces, fold, folds);
  const of = resumed
    ? protocol(model, dataset, { ...resumed.protocol, ...options.protocol })
    : protocol(model, dataset, options.protocol, options.preset);
  if (resumed) onlyEpochsChange(resumed.protocol, of);
  if (of.select === 'private' && !splits.private) {
    throw new ValueError(`train: the best epoch is to be chosen on PrivateTest, which ${dataset} has not here`);
  }

  const out = resolve(options.out ?? options.resume ?? freeFolder(`${model}-${dataset.replace('+', '')}`));
  if (!resumed && existsSync(join(out, LAST))) {
    throw new ValueError(`train: ${out} holds a run already; go on with it by resume, or name another folder`);
  }
  if (tuning()) {
    const batchSize = Math.min(of.batchSize, splits.train.indices.length);
    const onProgress = (done: number, total: number): void => onEvent({ event: 'tuning', done, total });
    const { classes } = faces;
    await tuneStep(model, { ...of, batchSize }, { classes, onProgress, ...(signal ? { signal } : {}) });
  }
  const training = new Training(
    {
      model,
      train: splits.train,
      protocol: of,
      ...(initial ? { init: initial.tensors } : {}),
      seed: resumed?.info.seed ?? options.seed ?? 1,
      note: {
        dataset,
        data: data && resolve(data),
        fold: dataset === 'ck+' ? fold : null,
        folds: dataset === 'ck+' ? folds : null,
        drawnSeed: options.seed ?? 1,
        init: initial && resolve(initial.file),
      },
    },
    resumed ?? undefined,
  );
  try {
    // Only now, when nothing that was asked for is refused any more.
    makeFolder(out);
    if (initial) {
      onEvent({ event: 'initialised', file: initial.file, taken: initial.tensors.size, left: initial.left });
    }
    const run = new Run(training, splits, out, adapter, options);
    if (resumed && options.data !== undefined) training.note = { ...training.note, data: resolve(options.data) };
    if (resumed) run.takeUp(readMetrics(resolve(options.resume as string)));
    const summary = await run.go(signal);
    return { out, summary };
  } finally {
    training.dispose();
  }
}

/** One call of `train`: drives a Training and writes its folder. */
class Run {
  readonly #training: Training;
  readonly #splits: Splits;
  readonly #out: string;
  readonly #adapter: string;
  readonly #options: TrainOptions;
  readonly #tell: (event: RunEvent) => void;
  #metrics: EpochMetrics[] = [];
  #last: Evaluation | null = null;
  #lastPrivate: Evaluation | null = null;
  /** Seconds that earlier calls took. */
  #secondsBefore = 0;
  #epochSeconds = 0;
  #trainedImages = 0;
  #trainedSeconds = 0;
  readonly #started = performance.now();

  constructor(training: Training, splits: Splits, out: string, adapter: string, options: TrainOptions) {
    this.#training = training;
    this.#splits = splits;
    this.#out = out;
    this.#adapter = adapter;
    this.#options = options;
    this.#tell = options.onEvent ?? (() => {});
  }

  /** Goes on after the epochs of an earlier call. */
  takeUp(metrics: readonly EpochMetrics[]): void {
    this.#metrics = metrics.filter(({ epoch }) => epoch < this.#training.epoch);
    this.#secondsBefore = this.#note.trainSeconds;
    this.#epochSeconds = this.#note.epochSeconds;
  }

  async go(signal: AbortSignal | undefined): Promise<Summary> {
    const training = this.#training;
    const { stopAfter = Number.POSITIVE_INFINITY, checkpointEvery = Number.POSITIVE_INFINITY } = this.#options;
    this.#begin();
    const stopAt = training.steps + stopAfter;
    let stopped = false;
    while (!training.done && !stopped) {
      let clock = performance.now();
      const lap = (): void => {
        const now = performance.now();
        this.#epochSeconds += (now - clock) / 1000;
        this.#trainedSeconds += (now - clock) / 1000;
        clock = now;
      };
      while (!training.atEpochEnd && !stopped) {
        const reports = await this.#compiling(() => training.step());
        lap();
        this.#steps(reports);
        stopped = (signal?.aborted ?? false) || training.steps >= stopAt;
        if (stopped || (training.steps % checkpointEvery === 0 && !training.atEpochEnd)) {
          this.#steps(await training.drain());
          lap();
          await this.#save(LAST);
          clock = performance.now();
        }
      }
      if (!training.atEpochEnd) break;
      this.#steps(await training.drain());
      lap();
      try {
        await this.#finishEpoch(signal);
      } catch (reason) {
        if (!signal?.aborted) throw reason;
        // Stopped in its evaluation, an epoch is finished by the run that resumes.
        await this.#save(LAST);
        break;
      }
    }
    return this.#end();
  }

  /** Runs `fn`, telling of kernels that it waits for. */
  #compiling<T>(fn: () => Promise<T>): Promise<T> {
    return warmUp(fn, (done, total) => this.#tell({ event: 'compiling', done, total }));
  }

  get #note(): RunNote {
    return {
      bestEpoch: null,
      bestTestAccuracy: null,
      bestPrivateEpoch: null,
      bestPrivateTestAccuracy: null,
      trainSeconds: 0,
      epochSeconds: 0,
      ...(this.#training.note as Partial<RunNote>),
    } as RunNote;
  }

  set #note(changes: Partial<RunNote>) {
    this.#training.note = { ...this.#note, ...changes } as Note;
  }

  #begin(): void {
    const { model, protocol, epoch, steps, stepsPerEpoch } = this.#training;
    this.#tell({
      event: 'begin',
      adapter: this.#adapter,
      dataset: this.#splits.train.faces.dataset,
      model,
      parameters: countParameters(this.#training),
      trainImages: this.#splits.train.indices.length,
      testImages: this.#splits.test.indices.length,
      epoch,
      epochs: protocol.epochs,
      step: steps,
      stepsPerEpoch,
      out: this.#out,
    });
  }

  #steps(reports: readonly StepReport[]): void {
    for (const report of reports) {
      this.#trainedImages += report.images;
      const { accuracy } = this.#training.progress;
      const imagesPerSecond = this.#trainedImages / this.#trainedSeconds;
      const left = this.#training.protocol.epochs * this.#splits.train.indices.length - this.#imagesSoFar(report);
      this.#tell({ event: 'step', ...report, accuracy, imagesPerSecond, secondsLeft: left / imagesPerSecond });
    }
  }

  #imagesSoFar({ epoch, step }: StepReport): number {
    const { stepsPerEpoch } = this.#training;
    const images = this.#splits.train.indices.length;
    return epoch * images + ((step + 1 - epoch * stepsPerEpoch) / stepsPerEpoch) * images;
  }

  async #finishEpoch(signal: AbortSignal | undefined): Promise<void> {
    const training = this.#training;
    const { epoch, protocol } = training;
    const isLast = epoch === protocol.epochs - 1;
    const crops = isLast ? 10 : protocol.crops;
    const evaluate = (part: Split): Promise<Evaluation> =>
      training.evaluate(part, {
        crops,
        onImages: (done, total) => this.#tell({ event: 'evaluating', done, total }),
        ...(signal ? { signal } : {}),
      });
    const test = await this.#compiling(() => evaluate(this.#splits.test));
    const always = protocol.privateTest === 'each-epoch' || protocol.select === 'private';
    const priv = this.#splits.private && (isLast || always) ? await evaluate(this.#splits.private) : null;
    this.#last = test;
    this.#lastPrivate = priv;
    const progress = await training.finishEpoch();
    const metrics: EpochMetrics = {
      epoch,
      trainLoss: progress.loss,
      trainAccuracy: progress.accuracy,
      testLoss: test.loss,
      testAccuracy: test.accuracy,
      learningRate: progress.learningRate,
      seconds: round(this.#epochSeconds, 3),
      imagesPerSecond: round(progress.images / this.#epochSeconds, 1),
      crops,
      ...(priv ? { privateTestLoss: priv.loss, privateTestAccuracy: priv.accuracy } : {}),
    };
    this.#epochSeconds = 0;
    this.#metrics.push(metrics);
    writeFile(join(this.#out, METRICS), `${this.#metrics.map((line) => JSON.stringify(line)).join('\n')}\n`);
    const { accuracy } = protocol.select === 'private' ? (priv as Evaluation) : test;
    const best = accuracy > (this.#note.bestTestAccuracy ?? -1);
    if (best) this.#note = { bestEpoch: epoch, bestTestAccuracy: accuracy };
    const bestPrivate = priv !== null && priv.accuracy > (this.#note.bestPrivateTestAccuracy ?? -1);
    if (bestPrivate) this.#note = { bestPrivateEpoch: epoch, bestPrivateTestAccuracy: priv.accuracy };
    const names = [
      ...(best ? [BEST] : []),
      ...(bestPrivate && protocol.privateTest === 'each-epoch' ? [BEST_PRIVATE] : []),
      LAST,
    ];
    await this.#save(...names);
    this.#tell({ event: 'epoch', ...metrics });
  }

  /** Writes one checkpoint under each of `names`. */
  async #save(...names: readonly string[]): Promise<void> {
    this.#note = { trainSeconds: this.#seconds, epochSeconds: this.#epochSeconds };
    const bytes = await this.#training.checkpoint();
    for (const name of names) {
      writeFile(join(this.#out, name), bytes);
      this.#tell({ event: 'checkpoint', path: join(this.#out, name), step: this.#training.steps });
    }
  }

  get #seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#started) / 1000;
  }

  #end(): Summary {
    const training = this.#training;
    const { faces } = this.#splits.train;
    const note = this.#note;
    const test = training.done ? this.#last : null;
    const priv = training.done ? this.#lastPrivate : null;
    const trained = this.#metrics.reduce((sum, line) => sum + line.seconds, 0);
    const summary: Summary = {
      adapter: this.#adapter,
      dataset: faces.dataset,
      model: training.model,
      fold: note.fold,
      folds: note.folds ?? (note.fold === null ? null : 'reference'),
      parameters: countParameters(training),
      epochs: training.epoch,
      complete: training.done,
      steps: training.steps,
      seed: training.seed,
      init: note.init ?? null,
      trainImages: this.#splits.train.indices.length,
      testImages: this.#splits.test.indices.length,
      testAccuracy: test?.accuracy ?? null,
      testLoss: test?.loss ?? null,
      testAccuracyInterval: test && interval(test, faces),
      selectedOn:
        faces.dataset === 'ck+' ? 'test' : training.protocol.select === 'private' ? 'PrivateTest' : 'PublicTest',
      bestTestAccuracy: note.bestTestAccuracy,
      bestEpoch: note.bestEpoch,
      ...(priv
        ? {
            privateTestAccuracy: priv.accuracy,
            privateTestAccuracyInterval: interval(priv, faces),
            ...(training.protocol.privateTest === 'each-epoch' && note.bestPrivateTestAccuracy !== null
              ? { bestPrivateTestAccuracy: note.bestPrivateTestAccuracy, bestPrivateEpoch: note.bestPrivateEpoch ?? 0 }
              : {}),
          }
        : {}),
      trainSeconds: round(this.#seconds, 2),
      imagesPerSecond: round(
        trained > 0
          ? (this.#metrics.length * this.#splits.train.indices.length) / trained
          : this.#trainedImages / this.#trainedSeconds,
        1,
      ),
      classes: faces.classes,
      confusion: test?.matrix.toArray() ?? null,
      protocol: training.protocol,
    };
    writeFile(join(this.#out, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
    this.#draw(summary);
    this.#tell({ event: 'end', out: this.#out, summary });
    return summary;
  }

  #draw(summary: Summary): void {
    if (this.#metrics.length === 0) return;
    const title = `${summary.model} on ${titleOf(summary.dataset)}${summary.fold && summary.folds ? `, ${foldName(summary.fold, summary.folds)}` : ''}`;
    const best = `best ${share(summary.bestTestAccuracy)} at epoch ${summary.bestEpoch}`;
    const note = this.#last
      ? `test accuracy ${accuracyText(this.#last, this.#splits.test.faces)} at the last epoch, ${best}`
      : best;
    writeFile(join(this.#out, 'learning-curve.png'), png(learningCurve(this.#metrics, title, note)));
    if (!this.#last) return;
    const { matrix } = this.#last;
    const heading = `${title}: ${share(matrix.accuracy)}`;
    const crops = this.#metrics.at(-1)?.crops === 10 ? 'ten-crop' : 'centre crop';
    const caption = `${accuracyText(this.#last, this.#splits.test.faces)}, ${matrix.total} test images, ${crops}, epoch ${summary.epochs - 1}`;
    writeFile(join(this.#out, 'confusion-matrix.png'), png(confusionMatrix(matrix, heading, caption)));
  }
}

/** A resumed run keeps its protocol: another would be another run. More epochs are fine where the rate does not depend on their number. */
function onlyEpochsChange(before: Protocol, now: Protocol): void {
  const { epochs: a, ...rest } = before;
  const { epochs: b, ...restNow } = now;
  const changed = Object.keys(restNow).filter(
    (name) => JSON.stringify(rest[name as keyof typeof rest]) !== JSON.stringify(restNow[name as keyof typeof restNow]),
  );
  if (changed.length > 0)
    throw new ValueError(`train: a resumed run cannot change ${changed.join(', ')}; start a new one`);
  if (a !== b && now.schedule.kind === 'cosine') {
    throw new ValueError(
      'train: a resumed run cannot change epochs, on which its learning rate depends; start a new one',
    );
  }
}

function countParameters({ network }: Training): number {
  return network.parameters().reduce((sum, { size }) => sum + size, 0);
}
