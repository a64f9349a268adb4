// What the hostile cases share: the real command as a user starts it, a small run to spoil, and what a refusal must look like.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawFaces, FER2013_SPLITS, fer2013Lines, split } from '@mien/fer';
import { train, writeFer2013 } from '@mien/fer/node';
import { device, MienError } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Sends the command a signal. */
export type Interrupt = (signal: NodeJS.Signals) => void;

/** Runs `mien` on the adapter of the tests; `onText` hears both outputs as they grow. */
export function mien(
  words: readonly string[],
  onText: (text: string, interrupt: Interrupt) => void = () => {},
): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['scripts/run.mjs', 'packages/fer/src/commands/main.ts', ...words], {
      env: { ...process.env, INIT_CWD: process.cwd(), MIEN_ADAPTER: process.env.MIEN_ADAPTER ?? device().facts.name },
    });
    let [out, err] = ['', ''];
    const hear = (): void => onText(out + err, (signal) => child.kill(signal));
    child.stdout.on('data', (text) => {
      out += text;
      hear();
    });
    child.stderr.on('data', (text) => {
      err += text;
      hear();
    });
    child.on('close', (code) => done({ code, out, err }));
  });
}

/** Throws unless the command ended with an exit code other than 0 and exactly one line of error, which holds `sentence`. */
export function refused({ code, err }: Ended, sentence: string): void {
  ensure(code !== 0, `it ended with ${code}:\n${err}`);
  const errors = err.split('\n').filter((line) => /^(mien|error): /.test(line));
  ensure(errors.length === 1, `${errors.length} lines of error, one expected:\n${err}`);
  ensure((errors[0] as string).includes(sentence), `expected \`${sentence}\` in \`${errors[0]}\``);
  ensure(!/\n\s+at .*\.[cm]?[jt]s:\d+/.test(err), `a stack is no answer to a user:\n${err}`);
}

/** Throws unless the work is refused by an error of Mien's whose one line holds `sentence`: what the command then prints. */
export async function rejected(work: Promise<unknown>, sentence: string): Promise<void> {
  const reason = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  ensure(reason !== null, `nothing was refused, expected: ${sentence}`);
  if (!(reason instanceof MienError)) throw reason;
  ensure(reason.message.includes(sentence), `expected \`${sentence}\` in \`${reason.message}\``);
  ensure(!reason.message.includes('\n'), `more than one line:\n${reason.message}`);
}

/** Runs `use` with a folder of its own that is removed afterwards. */
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

/** The lines of a small, sound fer2013.csv, header first. */
export function soundLines(): string[] {
  return [...fer2013Lines(parts)];
}

/** Writes a small, sound fer2013.csv and gives its path. */
export async function soundFile(folder: string): Promise<string> {
  const path = join(folder, 'fer2013.csv');
  await writeFer2013(path, parts);
  return path;
}

/** The run folder of a nano network in its second epoch of forty, two steps each; its data is drawn. Made once, copied into `folder`. */
export async function soundRun(folder: string): Promise<string> {
  made ??= (async () => {
    const place = mkdtempSync(join(tmpdir(), 'mien-hostile-run-'));
    process.once('exit', () => rmSync(place, { recursive: true, force: true }));
    const data = await soundFile(place);
    const protocol = { epochs: 40, batchSize: 14 };
    await train({ model: 'nano', data, out: join(place, 'run'), protocol, stopAfter: 3, checkpointEvery: 1 });
    return place;
  })();
  const run = join(folder, 'run');
  cpSync(join(await made, 'run'), run, { recursive: true });
  return run;
}

let made: Promise<string> | null = null;

/** The files of a folder and their bytes, to see that nothing changed. */
export function contentOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return JSON.stringify(paths.map((path) => [path, readFileSync(path, 'base64')]));
}
