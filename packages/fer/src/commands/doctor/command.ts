// `mien doctor`: the adapters, and whether they compute.
import { type AdapterReport, DeviceError } from '@mien/tensor';
import { Command } from 'commander';
import { defined } from '../../cli/options.ts';
import { print, printJson } from '../../cli/output.ts';
import { Progress } from '../../cli/progress.ts';
import { runCommand } from '../../cli/runCommand.ts';
import type { ThoroughReport } from '../../doctor/thorough.ts';
import { type DoctorReport, doctor as examine } from './doctor.ts';

interface DoctorWords {
  readonly thorough?: boolean;
  readonly adapter?: string;
  readonly json?: boolean;
}

/** `mien doctor`. */
export const doctor: Command = new Command('doctor')
  .description('Lists the adapters and checks what they compute; exits with 1 where something is wrong.')
  .option('--thorough', 'check every operation and its gradient on the adapter in use, in about a minute')
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .action((words: DoctorWords) => runCommand((signal) => run(words, signal)));

async function run({ thorough, adapter, json }: DoctorWords, signal: AbortSignal): Promise<void> {
  const progress = new Progress();
  const onProgress = (done: number, total: number): void => progress.show({ event: 'checking', done, total });
  try {
    const report = await examine({ ...defined({ thorough, adapter }), signal, onProgress });
    progress.close();
    if (json) printJson(report);
    else print(text(report));
    if (report.unhealthy !== null) throw new DeviceError(`doctor: ${report.unhealthy}`);
  } finally {
    progress.close();
  }
}

function text({ node, asked, adapters, thorough }: DoctorReport): string {
  const lines = [
    `Node ${node} on ${process.platform} ${process.arch}${asked === null ? '' : `, adapter ${asked}`}`,
    ...adapters.flatMap(linesOf),
    ...(thorough ? ['', ...tableOf(thorough)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function linesOf(report: AdapterReport): string[] {
  const { name, used, description, vendor, software, subgroupSize, startCheck, startMilliseconds } = report;
  return [
    '',
    `${name}${used ? '  (used by init())' : ''}`,
    `  driver       ${description || vendor}`,
    `  computes on  ${software ? 'the processor' : 'a GPU'}`,
    `  subgroups    ${subgroupSize ? `${subgroupSize.min} to ${subgroupSize.max} lanes` : 'none'}`,
    `  start check  ${startCheck} (${startMilliseconds} ms with compilation)`,
    `  features     ${report.features.join(', ')}`,
    '  limits',
    ...Object.entries(report.limits).map(([limit, value]) => `    ${limit.padEnd(44)} ${value.toLocaleString('en')}`),
  ];
}

function tableOf({ adapter, seconds, operations, kernels }: ThoroughReport): string[] {
  const width = Math.max(...operations.map(({ operation }) => operation.length));
  const wrong = operations.filter(({ verdict }) => verdict === 'wrong');
  const total = operations.reduce((sum, { cases }) => sum + cases, 0);
  return [
    `${'operation'.padEnd(width)}  cases  error/bound  verdict`,
    ...operations.map(({ operation, cases, worst, verdict, problem }) =>
      [
        operation.padEnd(width),
        `${cases}`.padStart(5),
        worst.toFixed(2).padStart(11),
        problem === null ? verdict : `${verdict}: ${problem}`,
      ].join('  '),
    ),
    '',
    `${operations.length - wrong.length} of ${operations.length} operations are right on ${adapter}: ${total} cases in ${seconds.toFixed(1)} s`,
    `${kernels.dispatched.length} kernels ran; this adapter does not choose ${kernels.notChosen.join(', ') || 'none'}`,
  ];
}
