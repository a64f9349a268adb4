// The mutation tool: its list, and that a campaign fails if a law is missing.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

function mutate(...args: string[]): { readonly code: number | null; readonly out: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join('scripts', 'mutate.mjs'), ...args], {
    encoding: 'utf8',
  });
  return { code: status, out: `${stdout}${stderr}` };
}

test('mutate has at least 200 mutants, some of every kernel and library, the same ones each time', () => {
  const { code, out } = mutate('--list');
  const ids = out.match(/^[0-9a-f]{10}(?= )/gm) ?? [];
  ensure(code === 0 && ids.length >= 200, `${ids.length} mutants, it ended with ${code}`);
  ensure(new Set(ids).size === ids.length, 'two mutants have one id');
  for (const path of readdirSync('shaders', { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.wgsl') || !/\bfn \w+\(/.test(readFileSync(`shaders/${path}`, 'utf8'))) continue;
    ensure(out.includes(`  shaders/${path}:`), `${path} has no mutant`);
  }
  ensure(mutate('--list').out === out, 'the list differs between two runs');
});

test('mutate fails and names the mutant where the laws that notice it are left out', () => {
  const { code, out } = mutate('cast/convert', '--sample', '1', '--skip', 'test/');
  ensure(code === 1 && out.includes('1 survived without a reason'), `it ended with ${code}: ${out}`);
  ensure(/survived\s+[0-9a-f]{10}\s+shaders\/cast\/convert\.wgsl:\d+/.test(out), out);
});

test(
  'mutate kills the mutants of a sample of kernels by the laws of their own families',
  () => {
    const { code, out } = mutate(
      'shaders/gather',
      'shaders/cast',
      'shaders/where',
      'shaders/softmax',
      '--sample',
      '16',
    );
    ensure(code === 0 && out.includes('0 survived without a reason'), `it ended with ${code}: ${out}`);
  },
  { seconds: 300 },
);
