import type { Test } from 'uvu';
import type { Law, LawOptions, LawReport } from './law.ts';

/** Adds a law to a uvu suite under its own sentence; `report` gets what its run found. */
export function addLaw(
  suite: Test,
  law: Law,
  options: LawOptions = {},
  report: (found: LawReport) => void = () => {},
): void {
  suite(law.title, async () => report(await law(options)));
}
