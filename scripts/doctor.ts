// Opens every adapter in the order in which init() finds them, and runs the kernel whose answer is known on each.
import { type AdapterFacts, factsOf, limitsOf, subgroupLanes } from '../packages/tensor/src/device/adapter.ts';
import { adapters, environmentChoice, remedy } from '../packages/tensor/src/device/gpu.node.ts';
import { openDevice } from '../packages/tensor/src/device/open.ts';
import { startCheck } from '../packages/tensor/src/device/start/check.ts';

interface Report extends AdapterFacts {
  /** `right`, or what is wrong with the known answer. */
  readonly knownAnswer: string;
  readonly used: boolean;
}

const json = process.argv.includes('--json');
const reports: Report[] = [];
let problem: string | null = null;
const used = await openDevice().catch((reason: Error) => {
  problem = reason.message;
  return null;
});
for await (const adapter of adapters()) {
  const facts = factsOf(adapter);
  if (reports.some(({ name, description }) => name === facts.name && description === facts.description)) continue;
  const gpu = await adapter.requestDevice({ requiredLimits: limitsOf(adapter.limits) });
  const wrong = await startCheck(gpu, subgroupLanes(facts));
  const knownAnswer = wrong ? `${wrong.kind}: ${wrong.detail}` : 'right';
  gpu.destroy();
  const isUsed = used?.facts.name === facts.name && used.facts.description === facts.description;
  reports.push({ knownAnswer, used: isUsed, ...facts });
}
if (reports.length === 0) problem ??= `no WebGPU adapter; ${remedy}`;
const asked = environmentChoice() ?? null;
if (json)
  process.stdout.write(`${JSON.stringify({ node: process.version, asked, problem, adapters: reports }, null, 2)}\n`);
else process.stdout.write(text());
process.exitCode = problem === null && reports.every(({ knownAnswer }) => knownAnswer === 'right') ? 0 : 1;

function text(): string {
  const lines = [
    `Node ${process.version} on ${process.platform} ${process.arch}${asked === null ? '' : `, MIEN_ADAPTER=${asked}`}`,
  ];
  for (const report of reports) {
    const { subgroupSize } = report;
    lines.push(
      '',
      `${report.name}${report.used ? '  (the one that init() uses)' : ''}`,
      `  driver        ${report.description || report.vendor}`,
      `  computes on   ${report.software ? 'the processor' : 'a GPU'}`,
      `  subgroups     ${subgroupSize ? `${subgroupSize.min} to ${subgroupSize.max} lanes` : 'none'}`,
      `  known answer  ${report.knownAnswer}`,
      `  features      ${report.features.join(', ')}`,
      '  limits',
      ...Object.entries(report.limits).map(([name, value]) => `    ${name.padEnd(44)} ${value.toLocaleString('en')}`),
    );
  }
  if (problem !== null) lines.push('', problem);
  return `${lines.join('\n')}\n`;
}
