// Faults written without knowledge of the checks: the detected share estimates how many unknown faults the checks detect.
import { type Fault, replace } from './inject.ts';
import { calls, closing, text } from './text.ts';
import { unseenCommandFaults } from './unseenCommands.ts';

/** Members of a struct as [name, type]. */
function membersOf(code: string, struct: string): [string, string][] {
  const body = new RegExp(`struct ${struct} \\{([^}]*)\\}`).exec(code)?.[1] ?? '';
  const members = body.matchAll(/(\w+)\s*:\s*(\w+(?:<[^>]*>+)?)/g);
  return Array.from(members, ([, name, type]) => [name as string, type as string]);
}

function uniformOf(code: string): { name: string; struct: string } | null {
  const match = /var<uniform> (\w+)\s*:\s*(\w+);/.exec(code);
  return match ? { name: match[1] as string, struct: match[2] as string } : null;
}

/** Aligns vec2 like a scalar in uniform structs. */
function packed(code: string): string {
  const uniform = uniformOf(code);
  if (!uniform) return code;
  let result = code;
  for (const [name, type] of membersOf(code, uniform.struct)) {
    const scalar = /^vec2(?:<(\w+)>|([uif]))$/.exec(type);
    if (!scalar) continue;
    const one = scalar[1] ?? `${scalar[2]}32`;
    result = result
      .replace(new RegExp(`struct ${uniform.struct} \\{[^}]*\\}`), (struct) =>
        struct.replace(new RegExp(`\\b${name}\\s*:\\s*vec2(<\\w+>|[uif])`), `${name}_x: ${one}, ${name}_y: ${one}`),
      )
      .replace(
        new RegExp(`\\b${uniform.name}\\.${name}\\b`, 'g'),
        `vec2<${one}>(${uniform.name}.${name}_x, ${uniform.name}.${name}_y)`,
      );
  }
  return result;
}

/** Unrolls loops with steps other than 1 by `by` and drops the remaining iterations. */
function unrolled(code: string, by: number): string {
  const loop = /for \(var (\w+) = ([^;]+); \1 < ([^;]+); \1 \+= ([^;{]+)\) \{/g;
  return code.replace(loop, (_, name: string, first: string, end: string, step: string) => {
    const trips = `(((${end}) - (${first}) + (${step}) - 1) / (${step}))`;
    const runs = `(${name} - (${first})) / (${step}) < ${trips} - ${trips} % ${by} || ${trips} < ${by}`;
    return `for (var ${name} = ${first}; ${name} < ${end} && (${runs}); ${name} += ${step}) {`;
  });
}

/** Inserts statements at the start of the entry point. */
function atEntry(code: string, make: (parameters: string) => { parameters: string; statements: string }): string {
  const start = /@compute[^{]*?fn \w+\(/.exec(code);
  if (!start) return code;
  const from = start.index + start[0].length;
  const end = closing(code, from);
  const brace = code.indexOf('{', end) + 1;
  const { parameters, statements } = make(code.slice(from, end));
  return `${code.slice(0, from)}${parameters}${code.slice(end, brace)} ${statements} ${code.slice(brace)}`;
}

/** Adds 1 to num_workgroups.x if y > 1. */
function wrongWorkgroupCount(code: string): string {
  return atEntry(code, (parameters) => {
    const name = /@builtin\(num_workgroups\)\s+(\w+)/.exec(parameters)?.[1];
    if (!name) return { parameters, statements: '' };
    const renamed = parameters.replace(/(@builtin\(num_workgroups\)\s+)(\w+)/, '$1$2_original');
    const statements = `let ${name} = ${name}_original + vec3u(select(0u, 1u, ${name}_original.y > 1u), 0u, 0u);`;
    return { parameters: renamed, statements };
  });
}

/** Stops the last 8 of 256 lanes, in kernels without barriers. */
function idleLanes(code: string): string {
  const size = /@workgroup_size\((\w+)\)/.exec(code)?.[1] ?? '';
  const lanes = new RegExp(`const ${size}: u32 = (\\d+)`).exec(code)?.[1] ?? size;
  if (Number.parseInt(lanes, 10) !== 256 || /Barrier|subgroup/.test(code)) return code;
  return atEntry(code, (parameters) => {
    const index = /@builtin\(local_invocation_index\)\s+(\w+)/.exec(parameters)?.[1];
    const id = /@builtin\((?:local|global)_invocation_id\)\s+(\w+)/.exec(parameters)?.[1];
    const lane = index ?? (id && `(${id}.x & 255u)`);
    return { parameters, statements: lane ? `if (${lane} >= 248u) { return; }` : '' };
  });
}

/** Names of u32 variables of a function, constants and uniform members. */
function unsignedNames(code: string, body: string): Set<string> {
  const names = new Set<string>();
  for (const [, name] of code.matchAll(/const (\w+): u32/g)) names.add(name as string);
  const uniform = uniformOf(code);
  for (const [name, type] of uniform ? membersOf(code, uniform.struct) : []) {
    if (type === 'u32') names.add(`${uniform?.name}.${name}`);
    const size = /^vec([234])(?:u|<u32>)$/.exec(type)?.[1];
    for (const axis of 'xyzw'.slice(0, Number(size ?? 0))) names.add(`${uniform?.name}.${name}.${axis}`);
  }
  for (const [, name] of body.matchAll(/(\w+)\s*:\s*u32/g)) names.add(name as string);
  for (const [, name, value] of body.matchAll(/(?:let|var) (\w+) = ([^;]+);/g)) {
    const tokens = (value as string)
      .replace(/\b(linearGroup|min|max)\([^()]*\)/g, '1')
      .match(/[A-Za-z_][\w.]*|\b\d+u\b/g);
    const scalar = (tokens ?? ['?']).every((token) => names.has(token) || /^\d+u$/.test(token));
    if (scalar && /^[\w\s.()+\-*/%&]+$/.test(value as string)) names.add(name as string);
    else names.delete(name as string);
  }
  return names;
}

/** Compares u32 as i32 if both operands are names or literals. */
function signedComparisons(code: string): string {
  return code
    .split(/^(?=fn |@compute)/m)
    .map((body) => {
      const names = unsignedNames(code, body);
      const known = (token: string): boolean => names.has(token) || /^(\d+|0x[\da-f]+)u$/.test(token);
      return body.replace(
        /(?<=(?:[(;,=]|&&|\|\||return)\s*)([A-Za-z_][\w.]*) (<=?|>=?) ([\w.]+)(?=\s*(?:[;,)]|&&|\|\|))/g,
        (all, left: string, sign: string, right: string) =>
          known(left) && known(right) ? `bitcast<i32>(${left}) ${sign} bitcast<i32>(${right})` : all,
      );
    })
    .join('');
}

/** Caches compiled shaders by the length of their code and their bindings. */
function sameLength(): () => void {
  type CreateModule = (this: GPUDevice, descriptor: GPUShaderModuleDescriptor) => GPUShaderModule;
  const cache = new Map<string, string>();
  return replace<CreateModule>(
    'GPUDevice',
    'createShaderModule',
    (original) =>
      function (descriptor) {
        const bindings = descriptor.code.match(/^@group.*$|fn \w+\($/gm) ?? [];
        const key = `${descriptor.code.length} ${bindings.join(' ')}`;
        const code = cache.get(key) ?? descriptor.code;
        cache.set(key, code);
        return original.call(this, { ...descriptor, code });
      },
  );
}

function matrices(code: string): string {
  let result = code;
  for (const name of ['mat3x3f', 'mat3x4f', 'mat4x3f', 'mat4x4f']) {
    const columns = Number(name[3]);
    result = calls(result, name, (args, call) =>
      args.length === columns ? `${name}(${[...args.slice(0, -2), args.at(-1), args.at(-2)].join(', ')})` : call,
    );
  }
  return result;
}

/** Reads component 2 of a uniform vec4 for a run-time index of 3. */
function lastComponent(code: string): string {
  const uniform = uniformOf(code);
  let result = code.replace(/\[([^[\]]+) % 4\]/g, '[min($1 % 4, 2)]');
  for (const [name, type] of uniform ? membersOf(code, uniform.struct) : []) {
    if (!/^vec4/.test(type)) continue;
    result = result.replace(
      new RegExp(`\\b${uniform?.name}\\.${name}\\[([a-z]\\w*)\\]`, 'g'),
      `${uniform?.name}.${name}[min($1, 2)]`,
    );
  }
  return result;
}

const integerDot = (code: string): string =>
  calls(code, 'dot', ([a, b], call) =>
    /vec4(u|i|<u32>|<i32>)\(/.test(`${a}${b}`) ? `dot((${a}).xzw, (${b}).xzw)` : call,
  );

export const unseenFaults: readonly Fault[] = [
  text('unseen: vec2 in uniforms aligned to four bytes', packed, 'params'),
  text('unseen: remainder of loops unrolled by four skipped', (code) => unrolled(code, 4)),
  text('unseen: num_workgroups.x one too large if y > 1', wrongWorkgroupCount),
  text('unseen: 16-bit values extracted with sign extension', (code) =>
    code.replace(/([A-Za-z_][\w.]*) & 0xffffu?\b/g, '((($1 & 0xffff) ^ 0x8000) - 0x8000)'),
  ),
  { name: 'unseen: shader cache keyed by code length', kind: 'text', install: sameLength },
  text('unseen: u32 compared as i32', signedComparisons),
  text('unseen: the last 8 of 256 lanes idle in kernels without barriers', idleLanes),
  ...unseenCommandFaults,
  text('unseen: last two columns swapped in matrix constructors', matrices),
  text('unseen: a - b * c computed as b * c - a', (code) =>
    code.replace(/([=(,+] ?)([A-Za-z_][\w.]*) - ([A-Za-z_][\w.]*) \* ([\w.]+)(?=[;,)])/g, '$1$3 * $4 - $2'),
  ),
  text('unseen: integer dot without y', integerDot),
  text('unseen: run-time index 3 into a uniform vec4 reads component 2', lastComponent),
];
