import type { Test } from 'uvu';
import type { Law, LawOptions, LawReport } from './law.ts';

/** Adds a law to a uvu suite under its title; `report` gets the result. */
export function addLaw(
  suite: Test,
  law: Law,
  options: LawOptions = {},
  report: (result: LawReport) => void = () => {},
): void {
  suite(law.title, async () => report(await law(options)));
}
