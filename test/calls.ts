// Counts calls of public functions by name; scripts/countCalls.mjs inserts it between test files and packages.

const counts = new Map<string, number>();

/** Number of calls of each public function so far. Empty if calls are not counted. */
export function callCounts(): ReadonlyMap<string, number> {
  return new Map(counts);
}

type Callable = (...args: unknown[]) => unknown;

/** A proxy of the function or class that counts its calls. */
export function counted<T>(name: string, value: T): T {
  if (typeof value !== 'function') return value;
  counts.set(name, 0);
  const proxy: T & Callable = new Proxy(value as T & Callable, {
    apply: (target, self, args) => {
      count(name);
      return Reflect.apply(target, self, args);
    },
    construct: (target, args, newTarget) => {
      count(name);
      return Reflect.construct(target, args, newTarget === proxy ? target : newTarget);
    },
  });
  return proxy;
}

/** Counts calls of methods, including those inside the packages. */
export function countMethods(prototype: Record<string, Callable>, names: readonly string[]): void {
  for (const name of names) {
    const method = prototype[name] as Callable;
    if (!counts.has(name)) counts.set(name, 0);
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value(this: unknown, ...args: unknown[]) {
        count(name);
        return method.apply(this, args);
      },
    });
  }
}

function count(name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
