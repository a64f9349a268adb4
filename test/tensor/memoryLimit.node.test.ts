// A process with a memory limit: SwiftShader reports failed allocations as a GPU does. (Lavapipe ends the process.)
import { spawnSync } from 'node:child_process';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const canRun =
  process.platform === 'linux' && process.arch === 'x64' && spawnSync('prlimit', ['--version']).status === 0;

test(
  'out of memory fails the reads that depend on the allocation with a LimitError, and no others',
  () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, ['scripts/run.mjs', 'test/tensor/memoryLimit.ts'], {
      env: { ...process.env, INIT_CWD: process.cwd(), MIEN_ADAPTER: 'swiftshader' },
      encoding: 'utf8',
    });
    ensure(status === 0, `it ended with ${status}: ${stderr}`);
    const { unrelated, again, sums, sumsAgain, later } = JSON.parse(stdout) as Record<string, string & string[]>;
    ensure(String(unrelated) === '3,3,3,3,3' && String(again) === '4,4,4,4,4', `unrelated: ${unrelated}, ${again}`);
    const kinds = (reads: readonly string[] = []): string =>
      reads
        .map((value) =>
          value === String(1 << 24) ? 'right' : value.startsWith('LimitError: memory: ') ? 'limit' : value,
        )
        .join();
    ensure(kinds(sums).includes('right') && kinds(sums).includes('limit'), kinds(sums));
    ensure(!kinds(sums).replace(/right|limit|,/g, ''), kinds(sums));
    ensure(kinds(sumsAgain) === kinds(sums), `${kinds(sumsAgain)}, at first ${kinds(sums)}`);
    ensure(String(later) === String(1 << 24), `after memory was given back: ${later}`);
  },
  { skip: canRun ? undefined : 'needs prlimit and the embedded SwiftShader' },
);
