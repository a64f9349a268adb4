// Counts calls of public functions by their names; scripts/countCalls.mjs puts it between test files and the packages.

const counts = new Map<string, number>();

/** How often each public function was called so far. Empty where nothing counts. */
export function callCounts(): ReadonlyMap<string, number> {
  return new Map(counts);
}

type Callable = (...given: unknown[]) => unknown;

/** The function or class itself, but counted. */
export function counted<T>(name: string, value: T): T {
  if (typeof value !== 'function') return value;
  counts.set(name, 0);
  const proxy: T & Callable = new Proxy(value as T & Callable, {
    apply: (target, self, given) => {
      note(name);
      return Reflect.apply(target, self, given);
    },
    construct: (target, given, made) => {
      note(name);
      return Reflect.construct(target, given, made === proxy ? target : made);
    },
  });
  return proxy;
}

/** Counts the calls of methods, those from inside the packages too. */
export function countMethods(prototype: Record<string, Callable>, names: readonly string[]): void {
  for (const name of names) {
    const method = prototype[name] as Callable;
    if (!counts.has(name)) counts.set(name, 0);
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value(this: unknown, ...given: unknown[]) {
        note(name);
        return method.apply(this, given);
      },
    });
  }
}

function note(name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
