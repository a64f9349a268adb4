// The text of api.txt, from declarations as tsc emits them.
import { ensure } from '@mien/tensor/testing';
import { apiOf, firstChange } from '../../scripts/api.mjs';
import { test } from '../harness.ts';

const entry = [{ name: '@mien/some', file: 'index.d.ts' }];

function api(files: Readonly<Record<string, string>>): string {
  return apiOf(new Map(Object.entries(files)), entry);
}

const files = {
  'index.d.ts':
    "export { type PoolOptions, pool } from './ops/pool.ts';\nexport * from './errors.ts';\nexport { Tensor as Array } from './tensor.ts';\n",
  'ops/pool.d.ts': `import { type Shape } from './shape.ts';
import type { Tensor } from '../tensor.ts';
/** Options of pool. */
export interface PoolOptions {
    /** Default 1; a comment with } and ;. */
    readonly stride?: Stride;
}
type Stride = number | Shape;
/** Pools x. */
export declare function pool(x: Tensor, options?: {
    readonly size: number;
} & PoolOptions): Tensor;
export declare function poolRule(): Hidden;
interface Hidden {
}
`,
  'ops/shape.d.ts': 'export type Shape = readonly number[];\n',
  'errors.d.ts': "import { SizeError } from './sizeError.ts';\nexport { SizeError };\n",
  'sizeError.d.ts': 'export declare class SizeError extends Error {\n}\n',
  'tensor.d.ts': `export declare class Tensor {
    #private;
    private secret;
    get rank(): number;
}
`,
};

const expected = `# @mien/some

Tensor as Array: class Tensor {
    get rank(): number;
}

interface PoolOptions {
    readonly stride?: Stride;
}

class SizeError extends Error {
}

function pool(x: Tensor, options?: {
    readonly size: number;
} & PoolOptions): Tensor;

# mentioned above, not exported

type Shape = readonly number[];

type Stride = number | Shape;
`;

test('check lists the public names with their signatures, and what these mention, without docstrings', () => {
  ensure(api(files) === expected, api(files));
});

test('check sees a changed signature, option, export and mentioned type, and no changed docstring', () => {
  const changed = (path: keyof typeof files, from: string, to: string): boolean => {
    ensure(files[path].includes(from), from);
    return firstChange(expected, api({ ...files, [path]: files[path].replace(from, to) })) !== null;
  };
  ensure(changed('ops/pool.d.ts', 'size: number', 'size: string'), 'a signature');
  ensure(changed('ops/pool.d.ts', 'readonly stride?', 'readonly stride'), 'an option');
  ensure(changed('ops/shape.d.ts', 'number[]', 'bigint[]'), 'a mentioned type');
  ensure(changed('index.d.ts', 'type PoolOptions, ', ''), 'an export');
  ensure(!changed('ops/pool.d.ts', 'Pools x.', 'Pools.'), 'a docstring');
  ensure(!changed('ops/pool.d.ts', 'Hidden {', 'Hidden {\n    readonly a: number;'), 'an internal type');
});

test('check names the line of the API that changed', () => {
  const change = firstChange('a\nb\n', 'a\nc\n');
  ensure(change === 'the public API changed at line 2 from `b` to `c`', `${change}`);
  ensure(firstChange('a\n', 'a\n') === null, 'equal texts differ');
});
