// Allocates more memory than its limit and prints the result of each read, for memoryLimit.node.test.ts.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { init, ones } from '@mien/tensor';

await init();
// Driver and compiler allocate their memory before the limit is set.
for (const x of [ones([5]).mul(3), ones([1000]).sum()]) await x.data();
const used = 1024 * Number(/VmSize:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
const { status, stderr } = spawnSync('prlimit', ['--pid', `${process.pid}`, `--as=${used + (600 << 20)}`]);
if (status !== 0) throw new Error(String(stderr));
const unrelated = ones([5]).mul(3);
const large = Array.from({ length: 12 }, () => ones([1 << 24]));
const sums = large.map((x) => x.sum());
const toText = (reason: unknown): string => String(reason);
const results: Record<string, unknown> = { unrelated: await unrelated.data().then(String, toText) };
results.again = await unrelated.add(1).data().then(String, toText);
results.sums = await Promise.all(sums.map((x) => x.item().then(String, toText)));
results.sumsAgain = await Promise.all(sums.map((x) => x.add(0).item().then(String, toText)));
for (const x of large) x.dispose();
results.later = await ones([1 << 24])
  .sum()
  .item()
  .then(String, toText);
process.stdout.write(`${JSON.stringify(results)}\n`);
process.exit(0);
