// Progress on standard error: bars on a terminal, lines elsewhere.

import cliProgress from 'cli-progress';
import { viewsText } from '../runs/accuracy.ts';
import type { RunEvent } from '../runs/events.ts';
import { printError } from './output.ts';
import { hiddenText } from './table.ts';

const FOLD_STATES = {
  new: 'new',
  resumed: 'resumed',
  finished: 'finished',
  elsewhere: 'skipped, because another process trains it (if none does, delete the file claimed in its folder)',
} satisfies Record<Extract<RunEvent, { event: 'fold' }>['state'], string>;

/** Shows the events of one command. */
export class Progress {
  readonly #terminal: boolean = process.stderr.isTTY === true;
  #bar: cliProgress.SingleBar | null = null;
  /** The format of the current bar, unless it counts steps. */
  #countFormat: string | null = null;
  #isTuning = false;
  #epochs = 0;
  #stepsPerEpoch = 0;
  /** The time of the last line on a running epoch. */
  #lastLine = performance.now();

  /** Shows one event. */
  show(event: RunEvent): void {
    if (event.event === 'begin') this.#begin(event);
    else if (event.event === 'step') this.#step(event);
    else if (event.event === 'initialized') this.#initialized(event);
    else if (event.event === 'tuning') this.#tuning(event);
    else if (event.event === 'checking') this.#count('checking  {bar} {value} of {total} cases', event);
    else if (event.event === 'reading') this.#reading(event.share);
    else if (event.event === 'hidden') this.say(`${event.path}: ${hiddenText(event.images)}`);
    else if (event.event === 'compiling') this.#count('compiling {bar} {value} of {total} kernels', event);
    else if (event.event === 'evaluating') this.#count('testing   {bar} {value} of {total} images', event);
    else if (event.event === 'searching') {
      this.say(`the loss is not finite; running ${event.steps} steps again to find the operation`);
    } else if (event.event === 'fold') this.#fold(event);
    else if (event.event === 'frame') this.#frame(event);
    else if (event.event === 'epoch') this.#epoch(event);
  }

  /** Ends the current bar, so that the next output starts a new line. */
  close(): void {
    this.#bar?.stop();
    this.#bar = null;
    this.#countFormat = null;
  }

  /** Prints a line. */
  say(line: string): void {
    this.close();
    printError(line);
  }

  #begin(event: Extract<RunEvent, { event: 'begin' }>): void {
    this.#epochs = event.epochs;
    this.#stepsPerEpoch = event.stepsPerEpoch;
    this.say(`adapter: ${event.adapter}`);
    const parameters = event.parameters.toLocaleString('en');
    const resumed = event.step > 0 ? `, resumed at epoch ${event.epoch + 1}, step ${event.step}` : '';
    this.say(
      `${event.model} (${parameters} parameters) on ${event.dataset}: ${event.trainImages} images to train on, ${event.testImages} to test, ${event.epochs} epochs${resumed}`,
    );
  }

  #step(event: Extract<RunEvent, { event: 'step' }>): void {
    const done = event.step + 1 - event.epoch * this.#stepsPerEpoch;
    const values = {
      epoch: `${event.epoch + 1}/${this.#epochs}`,
      loss: event.loss.toFixed(3),
      accuracy: `${(100 * event.accuracy).toFixed(1)} %`,
      rate: event.imagesPerSecond.toFixed(event.imagesPerSecond < 10 ? 1 : 0),
      left: clock(event.secondsLeft),
    };
    if (this.#terminal) {
      if (this.#countFormat) this.close();
      if (!this.#bar) {
        this.#bar = bar('epoch {epoch} {bar} loss {loss}, accuracy {accuracy}, {rate} images/s, {left} left');
        this.#bar.start(this.#stepsPerEpoch, done, values);
      } else this.#bar.update(done, values);
      return;
    }
    if (performance.now() - this.#lastLine < 10_000) return;
    this.#lastLine = performance.now();
    this.say(
      `epoch ${values.epoch}, step ${done} of ${this.#stepsPerEpoch}: loss ${values.loss}, accuracy ${values.accuracy}, ${values.rate} images/s, ${values.left} left`,
    );
  }

  #initialized({ file, taken, left }: Extract<RunEvent, { event: 'initialized' }>): void {
    const random = left.length > 0 ? `; ${left.join(', ')} stay random, because the classes differ` : '';
    this.say(`${taken} tensors initialized from ${file}${random}`);
  }

  /** Announces tuning once, because it may take minutes, then shows its progress. */
  #tuning(event: { readonly done: number; readonly total: number }): void {
    if (!this.#isTuning) this.say('tuning: timing the algorithms of operations that are not tuned on this adapter yet');
    this.#isTuning = true;
    this.#count('tuning    {bar} {value} of {total} operations and shapes', event);
  }

  #fold({ seed, fold, of, state }: Extract<RunEvent, { event: 'fold' }>): void {
    this.say(`seed ${seed}, fold ${fold} of ${of}: ${FOLD_STATES[state]}`);
  }

  #frame({ done, total }: Extract<RunEvent, { event: 'frame' }>): void {
    if (performance.now() - this.#lastLine < 5000) return;
    this.#lastLine = performance.now();
    this.say(`frame ${done}${total === null ? '' : ` of ${total}`}`);
  }

  #reading(share: number): void {
    this.#count('reading   {bar} {value} %', { done: Math.floor(100 * share), total: 100 });
  }

  /** A bar of its own that ends when it is complete. */
  #count(format: string, { done, total }: { readonly done: number; readonly total: number }): void {
    if (!this.#terminal) return;
    if (this.#countFormat !== format || !this.#bar) {
      this.close();
      this.#countFormat = format;
      this.#bar = bar(format);
      this.#bar.start(total, done);
    } else {
      this.#bar.setTotal(total);
      this.#bar.update(done);
    }
    if (done === total) this.close();
  }

  #epoch(event: Extract<RunEvent, { event: 'epoch' }>): void {
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    this.#lastLine = performance.now();
    this.say(
      `epoch ${event.epoch + 1}/${this.#epochs}: loss ${event.trainLoss.toFixed(3)}, accuracy ${percent(event.trainAccuracy)}; ` +
        `test loss ${event.testLoss.toFixed(3)}, accuracy ${percent(event.testAccuracy)} (${viewsText(event.crops)}); ` +
        `${event.imagesPerSecond.toFixed(0)} images/s`,
    );
  }
}

function bar(format: string): cliProgress.SingleBar {
  return new cliProgress.SingleBar({
    format,
    barsize: 24,
    barCompleteChar: '━',
    barIncompleteChar: '─',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: false,
    gracefulExit: false,
  });
}

/** `1:05` or `2:03:09`. */
function clock(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const two = (n: number): string => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}
