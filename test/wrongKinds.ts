// Calls a function with a value of the wrong kind as each argument: an error must be a MienError.
import { MienError, ones, scope, tensor, ValueError } from '@mien/tensor';
import { Mismatch } from '@mien/tensor/testing';

/** Makes the arguments of a valid call; or the reason why a function is not called. */
export type Example = (() => readonly unknown[]) | string;

/** Values of kinds that JavaScript callers may pass by mistake. */
const kinds: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  'a negative number': () => -3,
  'a fraction': () => 1.5,
  NaN: () => Number.NaN,
  'a large number': () => 2 ** 53,
  'a string': () => 'text',
  'an empty string': () => '',
  'a boolean': () => true,
  'a bigint': () => 3n,
  'an empty list': () => [],
  'a list of strings': () => ['a'],
  'a list of null': () => [null],
  'a typed array': () => Float32Array.of(1, 2),
  'an empty object': () => ({}),
  'a function': () => () => undefined,
  'a float tensor': () => ones([2, 3]),
  'a scalar tensor': () => ones([]),
  'an int tensor': () => tensor(Int32Array.of(1)),
  'a date': () => new Date(0),
};

/** Calls `fn` with each argument replaced by each kind. Throws Mismatch for an error that is not a MienError. */
export async function expectMienErrors(
  name: string,
  fn: (...args: unknown[]) => unknown,
  example: () => readonly unknown[],
): Promise<void> {
  const count = Math.max(example().length, 1);
  for (let position = 0; position < count; position++) {
    for (const [kind, make] of Object.entries(kinds)) {
      const call = (): unknown => {
        const args = [...example()];
        args[position] = make();
        return fn(...args);
      };
      try {
        await settled(call);
      } catch (reason) {
        if (reason instanceof MienError) continue;
        throw new Mismatch(`${name} with ${kind} as argument ${position}: expected a MienError, got ${String(reason)}`);
      }
    }
  }
}

/** Calls `fn` with a misspelled option after the arguments `before`. Throws Mismatch unless that is refused by name. */
export async function expectUnknownOption(
  name: string,
  fn: (...args: unknown[]) => unknown,
  before: () => readonly unknown[],
): Promise<void> {
  try {
    await settled(() => fn(...before(), { misspelled: 1 }));
  } catch (reason) {
    if (reason instanceof ValueError && reason.message.startsWith(`${name}: unknown option 'misspelled'; `)) return;
    throw new Mismatch(`${name} with an unknown option: ${String(reason)}`);
  }
  throw new Mismatch(`${name} accepts an unknown option`);
}

/** Runs `call` in a scope and awaits its promise. */
async function settled(call: () => unknown): Promise<void> {
  let promise: Promise<unknown> | null = null;
  scope(() => {
    const result = call();
    if (result instanceof Promise) promise = result;
  });
  if (promise) await promise;
}
