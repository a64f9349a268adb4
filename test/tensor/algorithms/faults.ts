// Faults injected into kernels, to check that laws detect them.

import { kernels, type TextEdit, withKernelText } from '@mien/tensor/internal';
import { ensure, Mismatch } from '@mien/tensor/testing';

/** The unchanged text of a kernel. */
async function textOf(kernel: string): Promise<string> {
  let result = '';
  const note: TextEdit = (name, text) => {
    if (name === kernel) result = text;
    return text;
  };
  await withKernelText(note, () => kernels().find(({ name }) => name === kernel)?.code);
  return result;
}

/** Doubles the values that a kernel or its libraries store into float outputs. */
export async function doubled(kernel: string): Promise<TextEdit> {
  const text = await textOf(kernel);
  const outputs = [...text.matchAll(/var<storage, read_write> (\w+): array<(.*?)>;/g)]
    .filter(([, , type]) => !/u32|vec\du|i32/.test(type as string))
    .map(([, name]) => name as string);
  const stores = new RegExp(`\\b(${outputs.join('|')})\\[([^=;]*)\\] =\\s([^;]*);`, 'g');
  const edit = (code: string): string => withoutComments(code).replace(stores, '$1[$2] = ($3) + ($3);');
  const itself = edit(text) !== withoutComments(text);
  return (name, code) => {
    if (itself ? name === kernel : name.startsWith('lib/')) return edit(code);
    return code;
  };
}

function withoutComments(code: string): string {
  // `uses` lines name the libraries.
  return code.replace(/\/\/(?! uses:).*$/gm, '');
}

/** Throws unless `check` reports a mismatch with the fault. */
export async function expectNoticed(edit: TextEdit, what: string, check: () => Promise<unknown>): Promise<void> {
  let reason: unknown = null;
  let changed = false;
  const noted: TextEdit = (name, text) => {
    const edited = edit(name, text);
    changed ||= edited.replace(/\s/g, '') !== withoutComments(text).replace(/\s/g, '') && edited !== text;
    return edited;
  };
  await withKernelText(noted, async () => {
    try {
      await check();
    } catch (thrown) {
      reason = thrown;
    }
  });
  ensure(changed, `${what}: the fault is in no text`);
  ensure(reason !== null, `${what} went unnoticed`);
  ensure(reason instanceof Mismatch, `${what}: expected a Mismatch, got ${String(reason)}`);
}
