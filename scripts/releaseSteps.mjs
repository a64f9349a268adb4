// The texts of a release: versions, the dated section of CHANGELOG.md.

/**
 * Throws unless `next` is a version x.y.z that is later than `current`.
 * @param {string} current
 * @param {string} next
 */
export function expectLaterVersion(current, next) {
  if (!/^\d+\.\d+\.\d+$/.test(next)) throw new RangeError(`release: expected a version such as 0.2.0, got '${next}'`);
  const [old, now] = [current, next].map((version) => version.split('.').map(Number));
  const at = now?.findIndex((part, i) => part !== old?.[i]) ?? -1;
  if (at < 0 || (now?.[at] ?? 0) < (old?.[at] ?? 0))
    throw new RangeError(`release: expected a version later than ${current}, got ${next}`);
}

/**
 * CHANGELOG.md with its section Unreleased under the version and date. Throws where it has none, or an empty one.
 * @param {string} text
 * @param {string} version
 * @param {string} date as 2026-11-28
 */
export function datedChangelog(text, version, date) {
  const section = /^## Unreleased\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(text)?.[1];
  if (section === undefined) throw new RangeError('release: CHANGELOG.md has no section `## Unreleased`');
  if (section.trim() === '') throw new RangeError('release: the section Unreleased of CHANGELOG.md is empty');
  return text.replace(/^## Unreleased$/m, `## ${version} (${date})`);
}

/**
 * A package.json under another version, otherwise unchanged.
 * @param {string} text
 * @param {string} version
 */
export function withVersion(text, version) {
  return text.replace(/^( {2}"version": )"[^"]*"/m, `$1"${version}"`);
}
