// @ts-nocheck
// One worker process: what is asked of it, with a time limit for each case; it is replaced where it hangs or crashes.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../workspace.mjs';

/**
 * Dawn clamps the index of a store past the end of a buffer, as it does where the driver cannot drop the store (Metal, D3D):
 * else no law could see a missing guard.
 */
export const clamped = '-vulkan_use_buffer_robust_access_2';
/** Requests after which a worker is replaced: kernels that were compiled for mutants stay in its memory. */
const mostRequests = 60;

export class Worker {
  #bundle;
  #adapter;
  #child = null;
  #requests = 0;

  constructor(bundle, adapter) {
    this.#bundle = bundle;
    this.#adapter = adapter;
  }

  /** Starts the process if there is none; resolves with the cases that it knows. */
  async start() {
    if (this.#child && this.#requests < mostRequests) return this.facts;
    this.stop();
    const child = fork(join(root, 'scripts', 'mutate', 'worker.mjs'), [this.#bundle, this.#adapter ?? ''], {
      cwd: root,
      env: { MIEN_DAWN: clamped, ...process.env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.errors = '';
    child.stderr.on('data', (text) => {
      this.errors = (this.errors + text).slice(-2000);
    });
    this.#child = child;
    this.#requests = 0;
    this.facts = await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code, signal) =>
        reject(new Error(`mutate: the worker ended with ${signal ?? code} as it started: ${this.errors}`)),
      );
    });
    return this.facts;
  }

  /**
   * Runs cases in order until one fails, `limitOf(case)` milliseconds at most for each; `onCase` hears of each that ended.
   * Resolves with how it ended: `done`, `late` or `crashed`, and the case that ran last.
   */
  async run(mutant, cases, limitOf, onCase) {
    await this.start();
    this.#requests++;
    const child = this.#child;
    return new Promise((resolve) => {
      let timer;
      let last = null;
      const end = (how) => {
        clearTimeout(timer);
        child.removeAllListeners('message');
        child.removeAllListeners('exit');
        if (how !== 'done') this.stop();
        resolve({ how, last });
      };
      child.on('message', (message) => {
        if (message.started !== undefined) {
          last = message.started;
          clearTimeout(timer);
          timer = setTimeout(() => end('late'), limitOf(last));
        } else if (message.ended !== undefined) onCase(message);
        else if (message.idle) end('done');
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
