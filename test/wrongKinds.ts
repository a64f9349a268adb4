// Calls every function with values of other kinds in the place of each argument: an error must be one of Mien's own.
import { MienError, ones, scope, tensor, ValueError } from '@mien/tensor';
import { Mismatch } from '@mien/tensor/testing';

/** A call that works, as a new list of arguments for each call, or the reason why a function is not called. */
export type Example = (() => readonly unknown[]) | string;

/** Values of every kind that JavaScript callers pass by mistake. */
const kinds: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  'a negative number': () => -3,
  'a fraction': () => 1.5,
  NaN: () => Number.NaN,
  'a large number': () => 2 ** 53,
  'a text': () => 'text',
  'an empty text': () => '',
  'a boolean': () => true,
  'a big integer': () => 3n,
  'an empty list': () => [],
  'a list of texts': () => ['a'],
  'a list of null': () => [null],
  'a typed array': () => Float32Array.of(1, 2),
  'an empty object': () => ({}),
  'a function': () => () => undefined,
  'a float tensor': () => ones([2, 3]),
  'a scalar tensor': () => ones([]),
  'an int tensor': () => tensor(Int32Array.of(1)),
  'a date': () => new Date(0),
};

/** Calls `fn` with each argument replaced by each kind. Throws Mismatch for an error that is not Mien's own. */
export async function expectOwnErrors(
  name: string,
  fn: (...args: unknown[]) => unknown,
  example: () => readonly unknown[],
): Promise<void> {
  const places = Math.max(example().length, 1);
  for (let place = 0; place < places; place++) {
    for (const [kind, make] of Object.entries(kinds)) {
      const call = (): unknown => {
        const args = [...example()];
        args[place] = make();
        return fn(...args);
      };
      try {
        await settled(call);
      } catch (reason) {
        if (reason instanceof MienError) continue;
        throw new Mismatch(
          `${name} with ${kind} as argument ${place}: ${String(reason)} is not an error of Mien's own`,
        );
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
  throw new Mismatch(`${name} takes an unknown option`);
}

/** Runs `call` in a scope; what it promises is awaited, but not for ever. */
async function settled(call: () => unknown): Promise<void> {
  let promise: Promise<unknown> | null = null;
  scope(() => {
    const result = call();
    if (result instanceof Promise) promise = result;
  });
  if (promise) await promise;
}
