// What there is to compute on, and whether it can be trusted (Node only in the command; the parts run in browsers too).
import { type Examination, examineAdapters, init } from '@mien/tensor';
import { checkThoroughly, type ThoroughOptions, type ThoroughReport } from '../../doctor/thorough.ts';

/** How `doctor` looks. */
export interface DoctorOptions extends ThoroughOptions {
  /** Part of the name of the adapter to look at; all without it. */
  readonly adapter?: string;
  /** Whether every operation is checked on the adapter that `init` uses. Default false. */
  readonly thorough?: boolean;
}

/** What `doctor` found. */
export interface DoctorReport extends Examination {
  readonly node: string;
  /** Of the adapter that `init` uses; null where it was not asked for, or there is none. */
  readonly thorough: ThoroughReport | null;
  /** What is wrong, in a sentence; null where every adapter passes the start check and every operation that was checked is right. */
  readonly unhealthy: string | null;
}

/** Runs the start check on every adapter, and with `thorough` every operation on the one that `init` uses. */
export async function doctor(options: DoctorOptions = {}): Promise<DoctorReport> {
  const chosen = options.adapter === undefined ? {} : { adapter: options.adapter };
  const found = await examineAdapters(chosen);
  let thorough: ThoroughReport | null = null;
  if (options.thorough && found.problem === null) {
    await init(chosen);
    thorough = await checkThoroughly(options);
  }
  return { node: process.version, ...found, thorough, unhealthy: unhealthy(found, thorough) };
}

function unhealthy({ problem, adapters }: Examination, thorough: ThoroughReport | null): string | null {
  if (problem !== null) return problem;
  const wrong = adapters.filter(({ startCheck }) => startCheck !== 'right').map(({ name }) => name);
  if (wrong.length > 0) return `${wrong.join(', ')} failed the start check; update the driver`;
  const operations = (thorough?.operations ?? []).filter(({ verdict }) => verdict === 'wrong');
  if (operations.length === 0) return null;
  const names = operations.map(({ operation }) => operation).join(', ');
  return `${thorough?.adapter} computes ${names} wrongly; choose another adapter, or update its driver`;
}
