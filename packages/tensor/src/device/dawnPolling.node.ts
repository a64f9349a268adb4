// Dawn's Node binding polls: while anything is awaited it calls `setImmediate` again and again, which occupies a core. On two
// cores that made software adapters 1.7 times slower.

/** Milliseconds for which Dawn polls without pauses, so that short waits end without delay. */
const busyMilliseconds = 2;
/** Milliseconds between polls after that. */
const pause = 1;

let isThrottled = false;

/** Makes Dawn's polling pause during long waits; every other use of `setImmediate` is unchanged. */
export function throttleDawnPolling(): void {
  if (isThrottled) return;
  isThrottled = true;
  const immediate = globalThis.setImmediate;
  let waitStart = 0;
  let isPolling = false;
  const schedule = (poll: () => void): unknown => {
    const now = performance.now();
    // A poll that asks for another one continues a wait.
    if (!isPolling) waitStart = now;
    const run = (): void => {
      isPolling = true;
      try {
        poll();
      } finally {
        isPolling = false;
      }
    };
    return now - waitStart < busyMilliseconds ? immediate(run) : setTimeout(run, pause);
  };
  const wrapped = (callback: (...args: unknown[]) => void, ...args: unknown[]): unknown =>
    isDawnPoll(callback) ? schedule(callback) : immediate(callback, ...args);
  // Properties of the function, such as its promisified form, are copied.
  Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(immediate));
  globalThis.setImmediate = wrapped as typeof immediate;
}

/** Dawn's callback is a native function without a name; JavaScript cannot make one. */
function isDawnPoll(callback: (...args: unknown[]) => void): callback is () => void {
  return (
    callback.name === '' && /^function \(\) \{ \[native code\] \}$/.test(Function.prototype.toString.call(callback))
  );
}
