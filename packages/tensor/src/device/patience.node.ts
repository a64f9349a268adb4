// Dawn's binding polls: while anything is awaited it asks for its next turn by `setImmediate`, again and again, which takes a
// whole core for nothing. On two cores that made an adapter in software 1.7 times slower.

/** Turns follow one another at once for so many milliseconds, so that short waits end without delay. */
const eager = 2;
/** Milliseconds between turns after that. */
const pause = 1;

let patient = false;

/** From now on Dawn's polling sleeps between its turns when a wait is long. Every other use of `setImmediate` is as it was. */
export function waitPatiently(): void {
  if (patient) return;
  patient = true;
  const immediate = globalThis.setImmediate;
  let since = 0;
  let inTurn = false;
  const later = (turn: () => void): unknown => {
    const now = performance.now();
    if (!inTurn) since = now;
    const take = (): void => {
      inTurn = true;
      try {
        turn();
      } finally {
        inTurn = false;
      }
    };
    return now - since < eager ? immediate(take) : setTimeout(take, pause);
  };
  const wrapped = (callback: (...words: unknown[]) => void, ...words: unknown[]): unknown =>
    isDawns(callback) ? later(callback) : immediate(callback, ...words);
  // Whatever hangs on the function, such as its form for promises, goes along.
  Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(immediate));
  globalThis.setImmediate = wrapped as typeof immediate;
}

/** Dawn's turn is a function of native code without a name; JavaScript can make none like it. */
function isDawns(callback: (...words: unknown[]) => void): callback is () => void {
  return (
    callback.name === '' && /^function \(\) \{ \[native code\] \}$/.test(Function.prototype.toString.call(callback))
  );
}
