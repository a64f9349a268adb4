// Node and Chromium, both on SwiftShader, give the same losses and resume each other's checkpoints.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensure } from '@mien/tensor/testing';
import { bundleForBrowser } from '../../scripts/bundle.mjs';
import { launchChromium } from '../../scripts/chromium.mjs';
import { serve } from '../../scripts/serve.mjs';
import { test } from '../harness.ts';
import type { Steps } from './twentySteps.ts';

/**
 * The kernels are the same, but two builds of SwiftShader may contract and order float32 operations differently. Errors of
 * about 2^-23 per operation grow by some orders of magnitude over twenty training steps.
 */
const tolerance = 1e-3;

const folder = mkdtempSync(join(tmpdir(), 'mien-steps-'));

function inNode(until: number, from?: readonly number[]): Steps {
  const out = join(folder, `node-${until}.json`);
  const checkpoint = join(folder, 'from.safetensors');
  if (from) writeFileSync(checkpoint, Uint8Array.from(from));
  const args = ['scripts/run.mjs', 'test/app/stepsInNode.ts', String(until), out, ...(from ? [checkpoint] : [])];
  const { status, stderr } = spawnSync(process.execPath, args, {
    env: { ...process.env, INIT_CWD: process.cwd(), MIEN_ADAPTER: 'swiftshader' },
    encoding: 'utf8',
  });
  ensure(status === 0, `exit code ${status}:\n${stderr}`);
  return JSON.parse(readFileSync(out, 'utf8'));
}

/** Throws unless the relative differences of the losses are within the tolerance. */
function expectEqualLosses(a: readonly number[], b: readonly number[]): void {
  ensure(a.length === b.length, `${a.length} and ${b.length} losses`);
  a.forEach((loss, i) => {
    const difference = Math.abs(loss - (b[i] as number)) / loss;
    ensure(
      difference < tolerance,
      `loss ${i}: ${loss} and ${b[i]} differ by a factor of ${difference.toExponential(1)}`,
    );
  });
}

test(
  'twentySteps gives the same losses in Node and Chromium, and resumes checkpoints of either',
  async () => {
    const bundles = await bundleForBrowser({ steps: 'test/app/stepsInBrowser.ts' });
    const html = '<!doctype html><script type="module" src="steps.js"></script>';
    const { url, close } = await serve(new Map([...bundles, ['', html], ['favicon.ico', '']]));
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.goto(url);
      await page.waitForFunction("'twentySteps' in globalThis");
      const inBrowser = (until: number, from?: readonly number[]): Promise<Steps> =>
        page.evaluate(`twentySteps(${until}, ${from ? JSON.stringify(from) : 'undefined'})`);

      const node = inNode(20);
      ensure(node.losses.length === 20, `${node.losses.length} losses`);
      const chromium = await inBrowser(20);
      for (const { adapter } of [node, chromium]) ensure(/swiftshader/i.test(adapter), `adapter: ${adapter}`);
      expectEqualLosses(node.losses, chromium.losses);

      const rest = node.losses.slice(10);
      expectEqualLosses(rest, (await inBrowser(20, inNode(10).checkpoint)).losses);
      expectEqualLosses(rest, inNode(20, (await inBrowser(10)).checkpoint).losses);
    } finally {
      await browser.close();
      close();
    }
  },
  { seconds: 600 },
);
