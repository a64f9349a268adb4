// Tests that compare live bytes exactly do so on a device of their own, or without an await in between: on the shared device the
// garbage collector may free tensors of earlier tests at an await.
import { readdirSync, readFileSync } from 'node:fs';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const exact = /liveBytes(?: [-+] [^;=]*)? ===|=== [^;]*liveBytes|assert\.is\([^;]*liveBytes/g;

/** The titles of tests in `text` that compare live bytes exactly after an await on the shared device. */
function comparisonsAfterAwait(text: string): readonly string[] {
  return text
    .split(/^(?=(?:test|law)\()/m)
    .filter((body) => /^(?:test|law)\(/.test(body) && !body.includes('withOwnDevice('))
    .filter((body) => {
      const [first, last] = [body.indexOf('liveBytes'), [...body.matchAll(exact)].at(-1)?.index];
      return last !== undefined && body.slice(first, last).includes('await ');
    })
    .map((body) => /'([^\n]*)'/.exec(body)?.[1] ?? body.slice(0, 80));
}

test('no test compares live bytes exactly after an await on the shared device', () => {
  const found = readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .flatMap((name) => comparisonsAfterAwait(readFileSync(`test/${name}`, 'utf8')).map((title) => `${name}: ${title}`));
  ensure(found.length === 0, `wrap these in withOwnDevice of test/ownDevice.ts: ${found.join('; ')}`);
});

test('the rule finds a comparison after an await, and allows one before it or on an own device', () => {
  const [read, wait] = ['const before = memory().liveBytes;', 'await x.data();'];
  const compare = 'ensure(memory().liveBytes === before);';
  const found = (...lines: readonly string[]): number =>
    comparisonsAfterAwait(`test('t', async () => {\n${lines.join('\n')}\n});`).length;
  ensure(found(read, wait, compare) === 1, 'expected one after the await');
  ensure(found(read, wait, 'assert.is(device().memory().liveBytes, before);') === 1, 'expected one by assert.is');
  ensure(found(wait, read, compare, wait) === 0, 'expected none without an await in between');
  ensure(found('withOwnDevice(', read, wait, compare) === 0, 'expected none on an own device');
});
