// The course of one call of `train`: steps, epochs with their tests, checkpoints, and the figures at the end.
import { join } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { warmUp } from '@mien/tensor';
import type { Split } from '../../datasets/faces.ts';
import type { Evaluation, Score } from '../../evaluation.ts';
import { confusionMatrix } from '../../figures/confusionMatrix.ts';
import { png } from '../../figures/lettering.ts';
import { accuracyText, interval, round, share } from '../../runs/accuracy.ts';
import type { Splits } from '../../runs/data.ts';
import type { EpochMetrics, RunEvent, Summary } from '../../runs/events.ts';
import { BEST, BEST_PRIVATE, LAST, METRICS, type RunNote } from '../../runs/folder.ts';
import type { Note, StepReport, Training } from '../../training/training.ts';
import { ofOne, runTitle } from '../curves/curves.ts';

/** When a course writes and ends, and who hears of it; as of `train`. */
export interface CourseOptions {
  readonly checkpointEvery?: number;
  readonly stopAfter?: number;
  readonly onEvent?: (event: RunEvent) => void;
}

/** One call of `train`: drives a Training and writes its folder. */
export class Course {
  readonly #training: Training;
  readonly #splits: Splits;
  readonly #out: string;
  readonly #adapter: string;
  readonly #options: CourseOptions;
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

  constructor(training: Training, splits: Splits, out: string, adapter: string, options: CourseOptions) {
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
    const evaluate = (part: Split): Promise<Evaluation> =>
      training.evaluate(part, {
        crops: isLast ? 10 : protocol.crops,
        onImages: (done, total) => this.#tell({ event: 'evaluating', done, total }),
        ...(signal ? { signal } : {}),
      });
    const test = await this.#compiling(() => evaluate(this.#splits.test));
    const always = protocol.privateTest === 'each-epoch' || protocol.select === 'private';
    const priv = this.#splits.private && (isLast || always) ? await evaluate(this.#splits.private) : null;
    this.#last = test;
    this.#lastPrivate = priv;
    // Epochs compare by the same views; those of the summary are always ten.
    const seenBy = (evaluation: Evaluation): Score => (protocol.crops === 1 ? evaluation.center : evaluation);
    const [tested, testedPrivate] = [seenBy(test), priv && seenBy(priv)];
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
      crops: protocol.crops,
      ...(testedPrivate ? { privateTestLoss: testedPrivate.loss, privateTestAccuracy: testedPrivate.accuracy } : {}),
    };
    this.#epochSeconds = 0;
    this.#metrics.push(metrics);
    writeFile(join(this.#out, METRICS), `${this.#metrics.map((line) => JSON.stringify(line)).join('\n')}\n`);
    const { accuracy } = protocol.select === 'private' ? (testedPrivate as Score) : tested;
    const best = accuracy > (this.#note.bestTestAccuracy ?? -1);
    if (best) this.#note = { bestEpoch: epoch, bestTestAccuracy: accuracy };
    const bestPrivate = testedPrivate !== null && testedPrivate.accuracy > (this.#note.bestPrivateTestAccuracy ?? -1);
    if (bestPrivate) this.#note = { bestPrivateEpoch: epoch, bestPrivateTestAccuracy: testedPrivate.accuracy };
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
    const record = { folder: this.#out, summary, metrics: this.#metrics };
    writeFile(join(this.#out, 'learning-curve.png'), png(ofOne(record)));
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
