// The page of `npm run app` in Chromium: training, pause and resume.
import { mkdirSync } from 'node:fs';
import { ensure } from '@mien/tensor/testing';
import { launchChromium } from '../../scripts/chromium.mjs';
import { buildPage } from '../../scripts/page.mjs';
import { serve } from '../../scripts/serve.mjs';
import { test } from '../harness.ts';

test(
  'the page trains in a worker until the loss falls, and pauses and resumes',
  async () => {
    const { url, close } = await serve(await buildPage());
    const browser = await launchChromium();
    try {
      const page = await browser.newPage({ viewport: { width: 1040, height: 980 } });
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      await page.goto(`${url}?images=48&epochs=8`);
      await page.click('#run');
      const state = (): Promise<DOMStringMap> => page.evaluate(() => ({ ...document.body.dataset }));
      const reaches = (condition: string): Promise<unknown> =>
        page.waitForFunction(condition, undefined, { timeout: 400_000 });

      await reaches('Number(document.body.dataset.step) >= 4');
      const early = Number((await state()).loss);
      await page.click('#run');
      await reaches("document.body.dataset.state === 'paused'");
      const stopped = (await state()).step;
      await new Promise((resolve) => setTimeout(resolve, 1500));
      ensure((await state()).step === stopped, 'expected no steps while paused');
      await page.click('#run');
      // The moving average of the loss, so that a single batch does not decide.
      await reaches(`Number(document.body.dataset.loss) < ${0.95 * early}`);
      ensure(Number((await state()).step) > Number(stopped), 'expected steps after the pause');
      const text = async (selector: string): Promise<string> => (await page.textContent(selector)) ?? '';
      ensure((await text('#adapter')).includes('SwiftShader'), `adapter: ${await text('#adapter')}`);
      ensure(/^\d+ images\/s$/.test(await text('#speed')), `throughput: ${await text('#speed')}`);
      ensure((await page.locator('#faces figure').count()) === 7, 'expected one face of each expression');
      ensure(problems.length === 0, problems.join('; '));
      mkdirSync('runs/app', { recursive: true });
      await page.screenshot({ path: 'runs/app/page.png' });
    } finally {
      await browser.close();
      close();
    }
  },
  { seconds: 600 },
);
