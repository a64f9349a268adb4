// The texts of a release: versions, the dated section of the CHANGELOG.
import { spawnSync } from 'node:child_process';
import { ensure } from '@mien/tensor/testing';
import { datedChangelog, expectLaterVersion, withVersion } from '../../scripts/releaseSteps.mjs';
import { test } from '../harness.ts';

/** The message of the error that `run` throws. */
function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (reason) {
    return String(reason);
  }
  return 'none';
}

test('release takes a later version only', () => {
  for (const version of ['0.1.1', '0.2.0', '1.0.0', '0.10.0']) expectLaterVersion('0.1.0', version);
  for (const version of ['0.1.0', '0.0.9', '0.1', 'v0.2.0', '0.2.0-rc.1', '']) {
    const message = messageOf(() => expectLaterVersion('0.1.0', version));
    ensure(message.includes('release: expected a version') && message.includes(version), message);
  }
  ensure(messageOf(() => expectLaterVersion('1.2.3', '1.1.9')).includes('later than 1.2.3'), 'a lower minor version');
});

test('release dates the section Unreleased and changes nothing else', () => {
  const text = '# Changes\n\n## Unreleased\n\n- new\n\n## 0.1.0\n\n- old\n';
  const dated = datedChangelog(text, '0.2.0', '2026-11-28');
  ensure(dated === text.replace('Unreleased', '0.2.0 (2026-11-28)'), dated);
  const last = datedChangelog('## Unreleased\n- first\n', '0.1.0', '2026-11-28');
  ensure(last === '## 0.1.0 (2026-11-28)\n- first\n', last);
});

test('release refuses a CHANGELOG without a section Unreleased, or with an empty one', () => {
  const none = messageOf(() => datedChangelog('## 0.1.0\n- old\n', '0.2.0', '2026-11-28'));
  ensure(none.includes('has no section'), none);
  const empty = messageOf(() => datedChangelog('## Unreleased\n\n## 0.1.0\n- old\n', '0.2.0', '2026-11-28'));
  ensure(empty.includes('is empty'), empty);
});

test('release sets the version of a package and of none that it depends on', () => {
  const text = '{\n  "name": "a",\n  "version": "0.1.0",\n  "dependencies": {\n    "version": "0.1.0"\n  }\n}\n';
  const expected = text.replace('"version": "0.1.0",\n', '"version": "0.2.0",\n');
  ensure(withVersion(text, '0.2.0') === expected, withVersion(text, '0.2.0'));
});

test('release refuses arguments that it does not take', () => {
  for (const args of [[], ['0.2.0', '0.3.0'], ['--check', '0.2.0'], ['--publish']]) {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/release.mjs', ...args], { encoding: 'utf8' });
    ensure(status === 1 && stderr.includes('expected VERSION [--dry-run] or --check'), `${args}: ${stderr}`);
  }
});
