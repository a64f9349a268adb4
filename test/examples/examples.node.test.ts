// Each example is one command; its last line is what a reader checks it by.
import { spawnSync } from 'node:child_process';
import { device } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

/** Runs an example on the adapter of the tests and gives its last line. */
function lastLine(name: string, ...args: readonly string[]): string {
  const env = {
    ...process.env,
    INIT_CWD: process.cwd(),
    MIEN_ADAPTER: process.env.MIEN_ADAPTER ?? device().facts.name,
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/run.mjs', `examples/${name}`, ...args], {
    env,
    encoding: 'utf8',
  });
  ensure(status === 0, `it ended with ${status}:\n${stderr}`);
  return stdout.trim().split('\n').at(-1) ?? '';
}

test('01-two-moons classifies at least 396 of 400 points correctly', () => {
  const line = lastLine('01-two-moons.ts');
  const correct = Number(/^(\d+) of 400 points classified correctly/.exec(line)?.[1]);
  ensure(correct >= 396, line);
});

test('02-own-model classifies at least 250 of 256 rows correctly', () => {
  const line = lastLine('02-own-model.ts');
  const correct = Number(/^1540 parameters; (\d+) of 256 rows correct$/.exec(line)?.[1]);
  ensure(correct >= 250, line);
});

test('03-own-kernel proves its kernel and refuses the broken one', () => {
  const line = lastLine('03-own-kernel.ts');
  ensure(line === 'the law holds for the kernel and refuses the broken one', line);
});

test(
  '04-expressions classifies most unseen synthetic faces correctly',
  () => {
    const line = lastLine('04-expressions.ts');
    const percent = Number(/^([\d.]+) % of 84 unseen synthetic faces classified correctly, ten-crop$/.exec(line)?.[1]);
    ensure(percent > 40, line);
  },
  { seconds: 600 },
);

test(
  '05-writer learns a poem by heart',
  () => {
    const line = lastLine('05-writer.ts', '20');
    const [, right, all] = /^(\d+) of (\d+) characters are the poem's$/.exec(line) ?? [];
    ensure(Number(right) > 0.9 * Number(all), line);
  },
  { seconds: 300 },
);
