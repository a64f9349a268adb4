// Laws of every algorithm of an operation: each algorithm has its own cases, which are counted when its kernels are dispatched.
import { device, type Limits } from '@mien/tensor';
import { algorithmsOf, type Dispatch, lackOf, withAlgorithm, withDispatches, withLimits } from '@mien/tensor/internal';
import { ensure, type LawOptions, type LawReport } from '@mien/tensor/testing';
import fc from 'fast-check';
import type { Ran, Recorder } from '../../harness.ts';
import * as harness from '../../harness.ts';

/** A case without values: sizes, options, and limits. */
export interface Spec {
  readonly limits?: Partial<Limits>;
}

/** Names of the edge cases of every algorithm; others may be added. */
export type Edges<S> = Readonly<Record<'smallest' | 'largest' | 'odd' | 'prime' | 'ragged tile', S>> &
  Readonly<Record<string, S>>;

/** The cases of one algorithm; it fits all of them. */
export interface CasesOf<S extends Spec> {
  readonly any: fc.Arbitrary<S>;
  /** Run first in every run. */
  readonly edges: Edges<S>;
}

/** A law for every algorithm of one operation. */
export interface AlgorithmLaw<S extends Spec, C> {
  readonly operation: string;
  readonly sentence: (algorithm: string) => string;
  /** Cases of each algorithm, or the reason why it has none here. */
  readonly cases: Readonly<Record<string, CasesOf<S> | string>>;
  /** Values for a case. */
  readonly values: (spec: S) => fc.Arbitrary<C>;
  readonly property: (example: C, algorithm: string) => void | Promise<void>;
  /** Number of generated cases besides the edges. Default 25. */
  readonly runs?: number;
  /** Selects cases; default all. Finite differences are slow for large cases. */
  readonly only?: (spec: S) => boolean;
}

/** Minimum number of distinct shapes that a law must run. */
const enoughShapes = 20;

interface Example<S, C> {
  readonly spec: S;
  readonly values: C;
}

/** The edge cases that a law runs, by name. */
function edgesOf<S extends Spec, C>(
  stated: AlgorithmLaw<S, C>,
  { edges }: CasesOf<S>,
): readonly (readonly [string, S])[] {
  return Object.entries(edges).filter(([, spec]) => stated.only?.(spec) ?? true);
}

/** Runs the property on one case by one algorithm and returns the algorithm's dispatches; throws if there are none. */
export async function runCase<S extends Spec, C>(
  { operation, property }: AlgorithmLaw<S, C>,
  algorithm: string,
  { spec, values }: Example<S, C>,
): Promise<readonly Dispatch[]> {
  const dispatches: Dispatch[] = [];
  const note = (dispatch: Dispatch): void => {
    for (let each = dispatch.running; each; each = each.caller)
      if (each.operation === operation && each.algorithm === algorithm) {
        dispatches.push(dispatch);
        return;
      }
  };
  await withLimits(spec.limits ?? {}, () =>
    withAlgorithm(operation, algorithm, () => withDispatches(note, () => property(values, algorithm))),
  );
  ensure(dispatches.length > 0, `${operation} by ${algorithm}: none of its kernels was dispatched`);
  return dispatches;
}

/** An edge case of an algorithm by name, with values. */
export function edgeOf<S extends Spec, C>(stated: AlgorithmLaw<S, C>, algorithm: string, edge: string): Example<S, C> {
  const algorithmCases = stated.cases[algorithm];
  const spec = typeof algorithmCases === 'object' ? algorithmCases.edges[edge] : undefined;
  if (spec === undefined) throw new TypeError(`${stated.operation} by ${algorithm} has no edge ${edge}`);
  return exampleOf(stated, spec);
}

/** Values for a case, determined by its sizes. */
export function exampleOf<S extends Spec, C>({ values }: AlgorithmLaw<S, C>, spec: S): Example<S, C> {
  const [first] = fc.sample(values(spec), { numRuns: 1, seed: 1 });
  return { spec, values: first as C };
}

/** A short text of a case. */
function keyOf(spec: Spec): string {
  return JSON.stringify(Object.values(spec)).replaceAll('"', '');
}

/** The reason why an algorithm cannot run on this adapter, or undefined. */
export function lacking(operation: string, algorithm: string): string | undefined {
  return lackOf(operation, algorithm, device().limits) ?? undefined;
}

/** Registers a law for each algorithm. It fails if its cases do not fit, are too few, or an edge is missing. */
export function lawByAlgorithm<S extends Spec, C>(
  stated: AlgorithmLaw<S, C>,
  to: Pick<Recorder, 'law' | 'skip'> = harness,
): void {
  const { operation, sentence, cases } = stated;
  const names = algorithmsOf(operation);
  const unknown = Object.keys(cases).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new TypeError(`${operation} has no ${unknown.join(', ')}; delete their cases`);
  for (const name of names) {
    const algorithmCases = cases[name];
    if (algorithmCases === undefined) throw new TypeError(`${operation} by ${name} has no cases; add them`);
    if (typeof algorithmCases === 'string') to.skip(sentence(name), algorithmCases);
    else lawOf(stated, name, algorithmCases, to);
  }
}

function lawOf<S extends Spec, C>(
  stated: AlgorithmLaw<S, C>,
  algorithm: string,
  algorithmCases: CasesOf<S>,
  to: Pick<Recorder, 'law'>,
): void {
  const { operation, sentence, values, only = () => true, runs = 25 } = stated;
  const edges = edgesOf(stated, algorithmCases);
  const shapes = new Set<string>();
  const property = async (example: Example<S, C>): Promise<void> => {
    await runCase(stated, algorithm, example);
    shapes.add(keyOf(example.spec));
  };
  const after = ({ skipped }: LawReport, run: LawOptions): Ran => {
    const ran = { operation, algorithm, shapes: [...shapes] };
    shapes.clear();
    ensure(skipped.count === 0, `${skipped.count} of its cases do not fit: ${skipped.reason}`);
    if (run.path !== undefined || (run.runs ?? 25) < 25) return ran;
    const missed = edges.filter(([, spec]) => !ran.shapes.includes(keyOf(spec))).map(([name]) => name);
    ensure(missed.length === 0, `expected to run the edges ${missed.join(', ')}`);
    ensure(
      ran.shapes.length >= enoughShapes,
      `expected at least ${enoughShapes} distinct shapes, got ${ran.shapes.length}`,
    );
    return ran;
  };
  to.law(
    sentence(algorithm),
    algorithmCases.any.filter(only).chain((spec) => fc.record({ spec: fc.constant(spec), values: values(spec) })),
    property,
    {
      runs,
      examples: edges.map(([, spec]) => exampleOf(stated, spec)),
      skip: () => lacking(operation, algorithm),
      after,
    },
  );
}
