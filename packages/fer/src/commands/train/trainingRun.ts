// One call of `train`: steps, epochs with their tests, checkpoints, and the figures at the end.

import { join } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { warmUp } from '@mien/tensor';
import { datasetOf, selectionSplit } from '../../datasets/catalog.ts';
import type { Split } from '../../datasets/faces.ts';
import type { Splits } from '../../datasets/splits.ts';
import type { Evaluation, Score } from '../../evaluation.ts';
import { confusionMatrix } from '../../figures/confusionMatrix.ts';
import { png } from '../../figures/lettering.ts';
import { accuracyText, interval, round, share } from '../../runs/accuracy.ts';
import type { EpochMetrics, RunEvent, Summary } from '../../runs/events.ts';
import { BEST, BEST_PRIVATE, LAST, METRICS, type RunNote } from '../../runs/folder.ts';
import { runCurve, runTitle } from '../../runs/record.ts';
import type { Note, StepReport } from '../../training/options.ts';
import type { Training } from '../../training/training.ts';

/** Options of `train` that a run needs. */
export interface TrainingRunOptions {
  readonly checkpointEvery?: number;
  readonly stopAfter?: number;
  readonly onEvent?: (event: RunEvent) => void;
}

/** Drives a `Training` and writes its run folder. */
export class TrainingRun {
  readonly #training: Training;
  readonly #splits: Splits;
  readonly #out: string;
  readonly #adapter: string;
  readonly #options: TrainingRunOptions;
  readonly #emit: (event: RunEvent) => void;
  #metrics: EpochMetrics[] = [];
  #last: Evaluation | null = null;
  #lastHeldOut: Evaluation | null = null;
  /** Seconds of earlier calls. */
  #secondsBefore = 0;
  #epochSeconds = 0;
  #trainedImages = 0;
  #trainedSeconds = 0;
  readonly #started = performance.now();

  constructor(training: Training, splits: Splits, out: string, adapter: string, options: TrainingRunOptions) {
    this.#training = training;
    this.#splits = splits;
    this.#out = out;
    this.#adapter = adapter;
    this.#options = options;
    this.#emit = options.onEvent ?? (() => {});
  }

  /** Continues after the epochs of earlier calls. */
  resumeAfter(metrics: readonly EpochMetrics[]): void {
    this.#metrics = metrics.filter(({ epoch }) => epoch < this.#training.epoch);
    this.#secondsBefore = this.#note.trainSeconds;
    this.#epochSeconds = this.#note.epochSeconds;
  }

  /** Trains until the run is complete, stopped by `signal`, or at `stopAfter` steps. Returns the summary that it writes. */
  async start(signal: AbortSignal | undefined): Promise<Summary> {
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
        // Stopped during its evaluation: the epoch is finished when the run is resumed.
        await this.#save(LAST);
        break;
      }
    }
    return this.#end();
  }

  /** Runs `fn` and reports the kernels that it waits for. */
  #compiling<T>(fn: () => Promise<T>): Promise<T> {
    return warmUp(fn, (done, total) => this.#emit({ event: 'compiling', done, total }));
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
    const { model, config, epoch, steps, stepsPerEpoch } = this.#training;
    this.#emit({
      event: 'begin',
      adapter: this.#adapter,
      dataset: this.#splits.train.faces.dataset,
      model,
      parameters: countParameters(this.#training),
      trainImages: this.#splits.train.indices.length,
      testImages: this.#splits.test.indices.length,
      epoch,
      epochs: config.epochs,
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
      const left = this.#training.config.epochs * this.#splits.train.indices.length - this.#imagesSoFar(report);
      this.#emit({ event: 'step', ...report, accuracy, imagesPerSecond, secondsLeft: left / imagesPerSecond });
    }
  }

  #imagesSoFar({ epoch, step }: StepReport): number {
    const { stepsPerEpoch } = this.#training;
    const images = this.#splits.train.indices.length;
    return epoch * images + ((step + 1 - epoch * stepsPerEpoch) / stepsPerEpoch) * images;
  }

  async #finishEpoch(signal: AbortSignal | undefined): Promise<void> {
    const training = this.#training;
    const { epoch, config } = training;
    const isLast = epoch === config.epochs - 1;
    const evaluate = (part: Split): Promise<Evaluation> =>
      training.evaluate(part, {
        crops: isLast ? 10 : config.crops,
        onImages: (done, total) => this.#emit({ event: 'evaluating', done, total }),
        ...(signal ? { signal } : {}),
      });
    const test = await this.#compiling(() => evaluate(this.#splits.test));
    const always = config.privateTest === 'each-epoch' || config.select === 'private';
    const heldOut = this.#splits.heldOut && (isLast || always) ? await evaluate(this.#splits.heldOut) : null;
    this.#last = test;
    this.#lastHeldOut = heldOut;
    // All epochs are compared with the same number of views; the summary's figures are ten-crop.
    const scoreOf = (evaluation: Evaluation): Score => (config.crops === 1 ? evaluation.center : evaluation);
    const [tested, testedPrivate] = [scoreOf(test), heldOut && scoreOf(heldOut)];
    const progress = await training.finishEpoch();
    const metrics: EpochMetrics = {
      epoch,
      trainLoss: progress.loss,
      trainAccuracy: progress.accuracy,
      testLoss: tested.loss,
      testAccuracy: tested.accuracy,
      learningRate: progress.learningRate,
      seconds: round(this.#epochSeconds, 3),
      imagesPerSecond: round(progress.images / this.#epochSeconds, 1),
      crops: config.crops,
      ...(testedPrivate ? { privateTestLoss: testedPrivate.loss, privateTestAccuracy: testedPrivate.accuracy } : {}),
    };
    this.#epochSeconds = 0;
    this.#metrics.push(metrics);
    writeFile(join(this.#out, METRICS), `${this.#metrics.map((line) => JSON.stringify(line)).join('\n')}\n`);
    await this.#save(...this.#bestFiles(epoch, tested, testedPrivate), LAST);
    this.#emit({ event: 'epoch', ...metrics });
  }

  /** Notes an epoch that is the best so far. Returns the checkpoint files that store it. */
  #bestFiles(epoch: number, tested: Score, testedPrivate: Score | null): string[] {
    const { select, privateTest } = this.#training.config;
    const { accuracy } = select === 'private' ? (testedPrivate as Score) : tested;
    const best = accuracy > (this.#note.bestTestAccuracy ?? -1);
    if (best) this.#note = { bestEpoch: epoch, bestTestAccuracy: accuracy };
    const bestPrivate = testedPrivate !== null && testedPrivate.accuracy > (this.#note.bestPrivateTestAccuracy ?? -1);
    if (bestPrivate) this.#note = { bestPrivateEpoch: epoch, bestPrivateTestAccuracy: testedPrivate.accuracy };
    return [...(best ? [BEST] : []), ...(bestPrivate && privateTest === 'each-epoch' ? [BEST_PRIVATE] : [])];
  }

  /** Writes one checkpoint under each of `names`. */
  async #save(...names: readonly string[]): Promise<void> {
    this.#note = { trainSeconds: this.#seconds, epochSeconds: this.#epochSeconds };
    const bytes = await this.#training.checkpoint();
    for (const name of names) {
      writeFile(join(this.#out, name), bytes);
      this.#emit({ event: 'checkpoint', path: join(this.#out, name), step: this.#training.steps });
    }
  }

  get #seconds(): number {
    return this.#secondsBefore + (performance.now() - this.#started) / 1000;
  }

  #end(): Summary {
    const summary = this.#summary();
    writeFile(join(this.#out, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
    this.#draw(summary);
    this.#emit({ event: 'end', out: this.#out, summary });
    return summary;
  }

  #summary(): Summary {
    const training = this.#training;
    const { faces } = this.#splits.train;
    const note = this.#note;
    const test = training.done ? this.#last : null;
    return {
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
      selectedOn: selectionSplit(datasetOf(faces.dataset), training.config.select),
      bestTestAccuracy: note.bestTestAccuracy,
      bestEpoch: note.bestEpoch,
      ...this.#heldOutSummary(),
      trainSeconds: round(this.#seconds, 2),
      imagesPerSecond: round(this.#imagesPerSecond, 1),
      classes: faces.classes,
      confusion: test?.matrix.toArray() ?? null,
      protocol: training.config,
    };
  }

  #heldOutSummary(): Partial<Summary> {
    const { done, config } = this.#training;
    const heldOut = done ? this.#lastHeldOut : null;
    if (!heldOut) return {};
    const { bestPrivateTestAccuracy, bestPrivateEpoch } = this.#note;
    return {
      privateTestAccuracy: heldOut.accuracy,
      privateTestAccuracyInterval: interval(heldOut, this.#splits.train.faces),
      ...(config.privateTest === 'each-epoch' && bestPrivateTestAccuracy !== null
        ? { bestPrivateTestAccuracy, bestPrivateEpoch: bestPrivateEpoch ?? 0 }
        : {}),
    };
  }

  /** Of training, over all epochs; of this call's steps before the first epoch is complete. */
  get #imagesPerSecond(): number {
    const seconds = this.#metrics.reduce((sum, line) => sum + line.seconds, 0);
    return seconds > 0
      ? (this.#metrics.length * this.#splits.train.indices.length) / seconds
      : this.#trainedImages / this.#trainedSeconds;
  }

  #draw(summary: Summary): void {
    if (this.#metrics.length === 0) return;
    const record = { folder: this.#out, summary, metrics: this.#metrics };
    writeFile(join(this.#out, 'learning-curve.png'), png(runCurve(record)));
    if (!this.#last) return;
    const { matrix } = this.#last;
    const heading = `${runTitle(summary)}: ${share(matrix.accuracy)}`;
    const caption = `${accuracyText(this.#last, this.#splits.test.faces)}, ${matrix.total} test images, ten-crop, after epoch ${summary.epochs}`;
    writeFile(join(this.#out, 'confusion-matrix.png'), png(confusionMatrix(matrix, heading, caption)));
  }
}

function countParameters({ network }: Training): number {
  return network.parameters().reduce((sum, { size }) => sum + size, 0);
}
