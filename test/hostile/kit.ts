// Helpers of the hostile cases: running the command as a user does, a small run to corrupt, and expected refusals.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawFaces, FER2013_SPLITS, fer2013Lines, split } from '@mien/fer';
import { train, writeFer2013 } from '@mien/fer/node';
import { device, MienError } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';

/** Exit code and output of a command. */
export interface CommandResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Sends a signal to the command. */
export type Interrupt = (signal: NodeJS.Signals) => void;

/** Runs `mien` on the adapter of the tests; `onText` is called with all output so far. */
export function mien(
  args: readonly string[],
  onText: (text: string, interrupt: Interrupt) => void = () => {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['scripts/run.mjs', 'packages/fer/src/commands/main.ts', ...args], {
      env: { ...process.env, INIT_CWD: process.cwd(), MIEN_ADAPTER: process.env.MIEN_ADAPTER ?? device().facts.name },
    });
    let [out, err] = ['', ''];
    const report = (): void => onText(out + err, (signal) => child.kill(signal));
    child.stdout.on('data', (text) => {
      out += text;
      report();
    });
    child.stderr.on('data', (text) => {
      err += text;
      report();
    });
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

/** Throws unless the command failed with exactly one line of error, which contains `message`. */
export function refused({ code, err }: CommandResult, message: string): void {
  ensure(code !== 0, `exit code ${code}:\n${err}`);
  const errors = err.split('\n').filter((line) => /^(mien|error): /.test(line));
  ensure(errors.length === 1, `expected one line of error, got ${errors.length}:\n${err}`);
  ensure((errors[0] as string).includes(message), `expected \`${message}\` in \`${errors[0]}\``);
  ensure(!/\n\s+at .*\.[cm]?[jt]s:\d+/.test(err), `expected no stack trace:\n${err}`);
}

/** Throws unless the promise rejects with a MienError whose message is one line and contains `message`. */
export async function rejected(promise: Promise<unknown>, message: string): Promise<void> {
  const reason = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  ensure(reason !== null, `expected an error, got none: ${message}`);
  if (!(reason instanceof MienError)) throw reason;
  ensure(reason.message.includes(message), `expected \`${message}\` in \`${reason.message}\``);
  ensure(!reason.message.includes('\n'), `expected one line, got:\n${reason.message}`);
}

/** Runs `use` with a temporary folder. */
export async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mien-hostile-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const faces = drawFaces({ training: 4, publicTest: 1, privateTest: 1 });
const parts = FER2013_SPLITS.map((usage) => ({ usage, split: split(faces, usage) }));

/** The lines of a small, valid fer2013.csv, header first. */
export function validLines(): string[] {
  return [...fer2013Lines(parts)];
}

/** Writes a small, valid fer2013.csv and returns its path. */
export async function validFile(folder: string): Promise<string> {
  const path = join(folder, 'fer2013.csv');
  await writeFer2013(path, parts);
  return path;
}

/** A copy of a run folder: nano, on drawn faces, in its second of forty epochs of two steps. Trained once. */
export async function validRun(folder: string): Promise<string> {
  trained ??= (async () => {
    const root = mkdtempSync(join(tmpdir(), 'mien-hostile-run-'));
    process.once('exit', () => rmSync(root, { recursive: true, force: true }));
    const data = await validFile(root);
    const config = { epochs: 40, batchSize: 14 };
    await train({ model: 'nano', data, out: join(root, 'run'), config, stopAfter: 3, checkpointEvery: 1 });
    return root;
  })();
  const run = join(folder, 'run');
  cpSync(join(await trained, 'run'), run, { recursive: true });
  return run;
}

let trained: Promise<string> | null = null;

/** Paths and bytes of a folder's files, for comparison. */
export function contentOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return JSON.stringify(paths.map((path) => [path, readFileSync(path, 'base64')]));
}
