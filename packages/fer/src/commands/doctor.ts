// `mien doctor`: the adapters, and whether they compute correctly (Node only).

import { type AdapterReport, type Examination, examineAdapters, init } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import { type CommandDefinition, defineCommand } from '../cli/defineCommand.ts';
import { ADAPTER, flag } from '../cli/options.ts';
import { checkThoroughly, type ThoroughOptions, type ThoroughReport, thoroughOptions } from '../doctor/thorough.ts';

/** Options of `doctor`. */
export interface DoctorOptions extends ThoroughOptions {
  /** Part of the name of the adapter to examine. Default: all. */
  readonly adapter?: string;
  /** Whether to check every operation on the adapter that `init` uses. Default false. */
  readonly thorough?: boolean;
}

const doctorOptions = optionNames<DoctorOptions>({ ...thoroughOptions, adapter: true, thorough: true });

/** The result of `doctor`. */
export interface DoctorReport extends Examination {
  readonly node: string;
  /** Of the adapter that `init` uses; null where it was not requested, or there is no adapter. */
  readonly thorough: ThoroughReport | null;
  /** The problem, in a sentence; null where every adapter passes the start check and every checked operation is right. */
  readonly unhealthy: string | null;
}

/** Runs the start check on every adapter, and with `thorough` every operation on the adapter that `init` uses. */
export async function doctor(options: DoctorOptions = {}): Promise<DoctorReport> {
  expectOptions('doctor', options, doctorOptions);
  const { adapter, thorough: isThorough = false, ...rest } = options;
  const chosen = adapter === undefined ? {} : { adapter };
  const examination = await examineAdapters(chosen);
  let thorough: ThoroughReport | null = null;
  if (isThorough && examination.problem === null) {
    await init(chosen);
    thorough = await checkThoroughly(rest);
  }
  return { node: process.version, ...examination, thorough, unhealthy: problemOf(examination, thorough) };
}

function problemOf({ problem, adapters }: Examination, thorough: ThoroughReport | null): string | null {
  if (problem !== null) return problem;
  const failed = adapters.filter(({ startCheck }) => startCheck !== 'right').map(({ name }) => name);
  if (failed.length > 0) return `${failed.join(', ')} failed the start check; update the driver`;
  const wrong = (thorough?.operations ?? []).filter(({ verdict }) => verdict === 'wrong');
  if (wrong.length === 0) return null;
  const names = wrong.map(({ operation }) => operation).join(', ');
  return `${thorough?.adapter} computes ${names} wrongly; use another adapter, or update its driver`;
}

/** `mien doctor`. */
export const doctorCommand: CommandDefinition = defineCommand({
  name: 'doctor',
  summary: 'Lists the adapters and checks whether they compute correctly; exits with 1 if they do not.',
  options: {
    thorough: flag('check every operation and its gradient on the adapter in use, which takes about a minute'),
    adapter: ADAPTER,
  },
  run: async ({ options, signal, onEvent }) => {
    const onProgress = (done: number, total: number): void => onEvent({ event: 'checking', done, total });
    const report = await doctor({ ...options, signal, onProgress });
    const failures = report.unhealthy === null ? [] : [`doctor: ${report.unhealthy}`];
    return { report, text: doctorText(report), failures };
  },
});

function doctorText({ node, asked, adapters, thorough }: DoctorReport): string {
  const lines = [
    `Node ${node} on ${process.platform} ${process.arch}${asked === null ? '' : `, adapter ${asked}`}`,
    ...adapters.flatMap(adapterLines),
    ...(thorough ? ['', ...operationLines(thorough)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function adapterLines(report: AdapterReport): string[] {
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

function operationLines({ adapter, seconds, operations, kernels }: ThoroughReport): string[] {
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
    `${kernels.dispatched.length} kernels ran; this adapter does not select ${kernels.notChosen.join(', ') || 'none'}`,
  ];
}
