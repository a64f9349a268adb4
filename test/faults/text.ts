// Faults of a driver's compiler, as edits of WGSL: built-in functions, operators, control flow, stores.
import { type Fault, replace } from './inject.ts';

type CreateModule = (this: GPUDevice, descriptor: GPUShaderModuleDescriptor) => GPUShaderModule;

/** A fault that rewrites the WGSL of every shader module. */
export function text(name: string, rewrite: (code: string) => string, kind: Fault['kind'] = 'text'): Fault {
  const install = () =>
    replace<CreateModule>(
      'GPUDevice',
      'createShaderModule',
      (original) =>
        function (descriptor) {
          return original.call(this, { ...descriptor, code: rewrite(withoutComments(descriptor.code)) });
        },
    );
  return { name, kind, install };
}

function withoutComments(code: string): string {
  return code.replace(/\/\/.*$/gm, '');
}

/** Rewrites every call of a function, innermost first. */
export function calls(code: string, name: string, rewrite: (args: readonly string[], call: string) => string): string {
  const pattern = new RegExp(`(?<![\\w.])(?<!fn )${name.replace(/[<>]/g, '\\$&')}\\(`, 'g');
  let result = '';
  let rest = code;
  for (;;) {
    pattern.lastIndex = 0;
    const match = pattern.exec(rest);
    if (!match) return result + rest;
    const start = match.index + match[0].length;
    const end = closing(rest, start);
    const inside = calls(rest.slice(start, end), name, rewrite);
    result += rest.slice(0, match.index) + rewrite(split(inside), `${name}(${inside})`);
    rest = rest.slice(end + 1);
  }
}

/** Index of the bracket that closes the one before `start`. */
export function closing(code: string, start: number): number {
  let depth = 1;
  let at = start;
  for (; depth > 0; at++) {
    if ('([{'.includes(code[at] as string)) depth++;
    else if (')]}'.includes(code[at] as string)) depth--;
  }
  return at - 1;
}

/** Splits arguments at the commas outside of brackets. */
function split(inside: string): string[] {
  const args: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < inside.length; at++) {
    if ('([{'.includes(inside[at] as string)) depth++;
    else if (')]}'.includes(inside[at] as string)) depth--;
    else if (inside[at] === ',' && depth === 0) {
      args.push(inside.slice(from, at).trim());
      from = at + 1;
    }
  }
  return [...args, inside.slice(from).trim()];
}

const scaled = (name: string, factor: number): Fault =>
  text(`${name} off by ${percent(factor)}`, (code) => calls(code, name, (_, call) => `(${factor} * ${call})`));

const percent = (factor: number): string => `${Number(((factor - 1) * 100).toPrecision(3))} %`;

/** Whether one of the arguments is an integer vector, or names one. */
function hasIntegers(code: string, args: readonly string[]): boolean {
  const names = [...code.matchAll(/(?:let|var) (\w+)[^=;]*= (?:select\()?vec4u\(/g)].map(([, name]) => name);
  return args.some((arg) => /^vec4u\(/.test(arg) || names.includes(arg));
}

/** Names of variables of float types, arrays included. */
function floats(code: string): string[] {
  const isFloat = (type: string | undefined, value: string | undefined): boolean =>
    type ? /f32|f16|vec[234]f|mat\d|<real>|\breal\b/.test(type) : /^(-?\d+\.\d|vec[234]f|f32\()/.test(value ?? '');
  return [...code.matchAll(/\bvar(?:<\w+>)? (\w+)\s*(?::\s*([^=;]+))?(?:=\s*([^;]+))?;/g)]
    .filter(([, , type, value]) => isFloat(type?.trim(), value))
    .map(([, name]) => name as string);
}

/** Scales the product in `sum += a * b` of floats. */
function multiplyAdd(code: string): string {
  return floats(code).reduce(
    (changed, name) =>
      changed.replace(
        new RegExp(`(?<![\\w.])(${name}(?:\\[[^;=]*\\])*(?:\\.\\w+)?) ([+-])= ([^;]*\\*[^;]*);`, 'g'),
        '$1 $2= 1.002 * ($3);',
      ),
    code,
  );
}

/** Changes stores into float buffers. */
function stores(code: string, change: (value: string, index: string) => string): string {
  const buffers = [...code.matchAll(/var<storage, read_write> (\w+)\s*:\s*array<(f32|vec4f|vec4<f32>)>/g)];
  return buffers.reduce(
    (changed, [, name]) =>
      changed.replace(
        new RegExp(`(?<![\\w.])${name}\\[([^;=]*)\\] = ([^;]*);`, 'g'),
        (_, index: string, value: string) => `${name}[${index}] = ${change(value, index)};`,
      ),
    code,
  );
}

/** Flips the lowest bit of the first index of every read of workgroup memory. */
function workgroupReads(code: string): string {
  const arrays = [...code.matchAll(/var<workgroup> (\w+)\s*:\s*array/g)];
  return arrays.reduce(
    (changed, [, name]) =>
      changed.replace(new RegExp(`(?<![\\w.])${name}\\[([^\\]]*)\\](?! =)`, 'g'), `${name}[($1) ^ 1]`),
    code,
  );
}

/** Faults of optimizers and code generators. */
export const textFaults: readonly Fault[] = [
  scaled('exp', 1.003),
  scaled('log', 1.005),
  scaled('tanh', 1.005),
  scaled('sqrt', 1.001),
  scaled('inverseSqrt', 1.001),
  scaled('pow', 1.005),
  text('dot off by 0.5 %', (code) =>
    calls(code, 'dot', (args, call) => (hasIntegers(code, args) ? call : `(1.005 * ${call})`)),
  ),
  text('multiply-add off by 0.2 %', multiplyAdd),
  text('reciprocal off by 0.2 %', (code) => code.replace(/(?<![\w.)\]] ?)\b1 \/ /g, '1.002 / ')),
  text('max computed as min', (code) => code.replace(/(?<![\w.])max\(/g, 'min(')),
  text('select with swapped operands', (code) =>
    calls(code, 'select', ([no, yes, condition]) => `select(${yes}, ${no}, ${condition})`),
  ),
  text('abs skipped', (code) => calls(code, 'abs', (_, call) => call.slice(3))),
  text('subgroupShuffle from the neighboring lane', (code) =>
    calls(code, 'subgroupShuffle', ([value, lane]) => `subgroupShuffle(${value}, (${lane}) ^ 1)`),
  ),
  scaled('subgroupAdd', 1.01),
  text('workgroup barriers removed', (code) => code.replace(/workgroupBarrier\(\);/g, '')),
  text('workgroup memory read at a neighboring index', workgroupReads),
  text('right shifts by one bit too many', (code) => code.replace(/>>\s*(\w+\([^)]*\)|\w+)/g, '>> (($1 + 1) % 32)')),
  text('u32 products without their highest bit', (code) =>
    code.replace(/(0x[0-9a-f]+u \* [\w.]+)/g, '(($1) & 0x7fffffffu)'),
  ),
  text('conversion to f16 off by 0.4 %', (code) =>
    /enable f16/.test(code)
      ? ['vec4<real>', 'vec4<f16>', 'f16'].reduce(
          (changed, type) => calls(changed, type, (_, call) => `(1.004 * ${call})`),
          code,
        )
      : code,
  ),
  text('the first loop iteration skipped', (code) => code.replace(/for \(var (\w+) = 0u;/g, 'for (var $1 = 1u;')),
  text('stores off by 0.1 %', (code) => stores(code, (value) => `1.001 * (${value})`), 'results'),
  text(
    'every 61st store off by 1 %',
    (code) => stores(code, (value, index) => `select(1.0, 1.01, (${index}) % 61 == 60) * (${value})`),
    'results',
  ),
];
