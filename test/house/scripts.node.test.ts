// The commands: their arguments, their errors, and the folder of relative paths.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function script(name: string, args: readonly string[], callerFolder?: string): Ended {
  const env = { ...process.env, ...(callerFolder === undefined ? {} : { INIT_CWD: callerFolder }) };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join('scripts', name), ...args], {
    env,
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

/** Runs `use` with a folder that holds one program, removed afterwards. */
function withProgram(text: string, use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'mien-test-'));
  try {
    writeFileSync(join(folder, 'program.ts'), text);
    use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('scripts/run.mjs drops a leading literal -- and resolves paths from the folder of the caller', () => {
  withProgram('const args: string[] = process.argv.slice(2);\nprocess.stdout.write(args.join());\n', (folder) => {
    const { code, out, err } = script('run.mjs', ['--', 'program.ts', 'a', '--', 'b'], folder);
    ensure(code === 0 && out === 'a,--,b', `it printed ${out}, ended with ${code}: ${err}`);
  });
});

test('scripts/run.mjs names the line of the source in a stack trace', () => {
  withProgram('\n\nconst fail = (): never => {\n  throw new TypeError("here");\n};\nfail();\n', (folder) => {
    const { code, err } = script('run.mjs', ['program.ts'], folder);
    ensure(code === 1 && err.includes('program.ts:4'), `it ended with ${code}: ${err}`);
  });
});

test('scripts/run.mjs refuses a bare import that a bundler would drop', () => {
  withProgram("import './silent/index.ts';\n", (folder) => {
    const { code, err } = script('run.mjs', ['program.ts'], folder);
    ensure(code !== 0 && err.includes('silent'), `it ended with ${code}: ${err}`);
  });
});

test('test fails when a filter matches nothing', () => {
  const { code, out } = script('test.mjs', ['--node', 'a-filter-that-no-case-matches']);
  ensure(code === 1 && out.trimEnd().endsWith('0 passed, 1 failed'), `it ended with ${code}: ${out}`);
});

test('test and bench refuse unknown options', () => {
  for (const name of ['test.mjs', 'bench.mjs']) {
    const { code, err } = script(name, ['--fast']);
    ensure(code === 1 && err.includes('options are'), `${name} ended with ${code}: ${err}`);
  }
});

test('bench and bench:peers list the records when a filter matches nothing', () => {
  for (const name of ['bench.mjs', 'benchPeers.mjs']) {
    const { code, err } = script(name, ['no-record-has-this-name']);
    ensure(code === 1 && err.includes('step/vgg19/b16'), `${name} ended with ${code}: ${err}`);
  }
});

test('a script whose output is closed ends without a message', async () => {
  const child = spawn(process.execPath, [join('scripts', 'test.mjs'), '--node', 'plan'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let err = '';
  child.stderr.on('data', (text) => {
    err += text;
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const code = await new Promise((done) => child.once('close', done));
  ensure((code === 141 || code === 0) && !/EPIPE|Unhandled|\n\s+at /.test(err), `it ended with ${code}: ${err}`);
});

test('scripts name the version of pnpm in one place', () => {
  const { config } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly config: { readonly pnpm: string } };
  ensure(/^pnpm@\d+\.\d+\.\d+$/.test(config.pnpm), `config.pnpm is ${config.pnpm}, expected an exact version`);
});
