// One worker process, which runs cases with a time limit for each; it is replaced if it hangs or crashes.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../workspace.mjs';

/**
 * Makes Dawn clamp the index of a store past the end of a buffer, as it does on Metal and D3D, whose drivers cannot drop the store: otherwise no
 * law could detect a missing guard.
 */
export const clamped = '-vulkan_use_buffer_robust_access_2';
/** Requests after which a worker is replaced, because it never frees the kernels of mutants. */
const mostRequests = 60;

/** @typedef {{ readonly file: string, readonly name: string, readonly skipped: boolean }} CaseName */
/** @typedef {{ readonly ready: readonly CaseName[], readonly adapter: string, readonly driver: string, readonly kernels: number }} Facts */
/** @typedef {{ readonly id: string, readonly name?: string, readonly text?: string }} MutantText a kernel's or library's name and text, or the id of a mutant in the bundle */
/** @typedef {{ readonly ended: number, readonly reason: string | null, readonly milliseconds: number, readonly places: readonly string[] }} Ended */
/** @typedef {{ readonly how: 'done' | 'late' | 'crashed', readonly last: number }} Run */

export class Worker {
  #bundle;
  #adapter;
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;
  #requests = 0;
  errors = '';
  /** @type {Facts | null} */
  #facts = null;

  /** @param {string} bundle @param {string | undefined} adapter */
  constructor(bundle, adapter) {
    this.#bundle = bundle;
    this.#adapter = adapter;
  }

  /** Starts the process if there is none; resolves with its cases. @returns {Promise<Facts>} */
  async start() {
    if (this.#child && this.#facts && this.#requests < mostRequests) return this.#facts;
    this.stop();
    const child = fork(join(root, 'scripts', 'mutate', 'worker.mjs'), [this.#bundle, this.#adapter ?? ''], {
      cwd: root,
      env: { MIEN_DAWN: clamped, ...process.env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.errors = '';
    child.stderr?.on('data', (text) => {
      this.errors = (this.errors + text).slice(-2000);
    });
    this.#child = child;
    this.#requests = 0;
    /** @type {Facts} */
    const facts = await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code, signal) =>
        reject(new Error(`mutate: the worker exited with ${signal ?? code} while it started: ${this.errors}`)),
      );
    });
    this.#facts = facts;
    return facts;
  }

  /**
   * Runs cases in order until one fails, each for at most `limitOf(case)` milliseconds. Resolves with how the run ended and the last case.
   * @param {MutantText | null} mutant
   * @param {readonly number[]} cases
   * @param {(index: number) => number} limitOf
   * @param {(ended: Ended) => void} onCase called after each case
   * @returns {Promise<Run>}
   */
  async run(mutant, cases, limitOf, onCase) {
    await this.start();
    this.#requests++;
    const child = this.#child;
    if (child === null) throw new Error('mutate: the worker was stopped');
    return new Promise((resolve) => {
      /** @type {NodeJS.Timeout | undefined} */
      let timer;
      let last = cases[0] ?? 0;
      /** @param {Run['how']} how */
      const end = (how) => {
        clearTimeout(timer);
        child.removeAllListeners('message');
        child.removeAllListeners('exit');
        if (how !== 'done') this.stop();
        resolve({ how, last });
      };
      child.on('message', (/** @type {{ started: number } | Ended | { idle: true }} */ message) => {
        if ('started' in message) {
          last = message.started;
          clearTimeout(timer);
          timer = setTimeout(() => end('late'), limitOf(last));
        } else if ('ended' in message) onCase(message);
        else end('done');
      });
      child.once('exit', () => end('crashed'));
      child.send({ mutant, run: cases });
    });
  }

  stop() {
    this.#child?.removeAllListeners('exit');
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }
}
