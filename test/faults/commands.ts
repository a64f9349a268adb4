// Faults in how a driver carries out commands: dispatches, bindings, parameters, copies and reads.
import {
  all,
  type CopyBuffer,
  type CreateGroup,
  type Dispatch,
  type Fault,
  replace,
  type SetGroup,
  type SetPipeline,
  type WriteBuffer,
} from './inject.ts';

type Submit = (this: GPUQueue, buffers: Iterable<GPUCommandBuffer>) => void;
type GetRange = (this: GPUBuffer, offset?: number, size?: number) => ArrayBuffer;

/** Leaves out dispatches by their number in the submit, counted from 0. */
function dropped(name: string, drops: (inSubmit: number, overall: number) => boolean): Fault {
  const install = (): (() => void) => {
    let inSubmit = 0;
    let overall = 0;
    const dispatches = replace<Dispatch>(
      'GPUComputePassEncoder',
      'dispatchWorkgroups',
      (original) =>
        function (x, y = 1, z = 1) {
          if (!drops(inSubmit++, overall++)) original.call(this, x, y, z);
        },
    );
    const submits = replace<Submit>(
      'GPUQueue',
      'submit',
      (original) =>
        function (buffers) {
          inSubmit = 0;
          original.call(this, buffers);
        },
    );
    return all(dispatches, submits);
  };
  return { name, kind: 'dispatches', install };
}

function grid(name: string, change: (x: number, y: number, z: number) => [number, number, number]): Fault {
  const install = () =>
    replace<Dispatch>(
      'GPUComputePassEncoder',
      'dispatchWorkgroups',
      (original) =>
        function (x, y = 1, z = 1) {
          original.call(this, ...change(x, y, z));
        },
    );
  return { name, kind: 'dispatches', install };
}

/** Holds a pass's commands back until its end, so that their order can change. */
function reordered(name: string, change: (steps: (() => void)[][]) => (() => void)[][]): Fault {
  const install = (): (() => void) => {
    const passes = new Map<GPUComputePassEncoder, { steps: (() => void)[][]; state: Map<string, () => void> }>();
    const of = (pass: GPUComputePassEncoder): { steps: (() => void)[][]; state: Map<string, () => void> } => {
      const held = passes.get(pass) ?? { steps: [], state: new Map() };
      passes.set(pass, held);
      return held;
    };
    const pipelines = replace<SetPipeline>(
      'GPUComputePassEncoder',
      'setPipeline',
      (original) =>
        function (pipeline) {
          of(this).state.set('pipeline', () => original.call(this, pipeline));
        },
    );
    const groups = replace<SetGroup>(
      'GPUComputePassEncoder',
      'setBindGroup',
      (original) =>
        function (index, group, offsets) {
          const kept = offsets && [...offsets];
          of(this).state.set('group', () =>
            kept ? original.call(this, index, group, kept) : original.call(this, index, group),
          );
        },
    );
    const dispatches = replace<Dispatch>(
      'GPUComputePassEncoder',
      'dispatchWorkgroups',
      (original) =>
        function (x, y = 1, z = 1) {
          const { steps, state } = of(this);
          steps.push([...state.values(), () => original.call(this, x, y, z)]);
        },
    );
    const ends = replace<(this: GPUComputePassEncoder) => void>(
      'GPUComputePassEncoder',
      'end',
      (original) =>
        function () {
          for (const step of change(of(this).steps)) for (const command of step) command();
          passes.delete(this);
          original.call(this);
        },
    );
    return all(pipelines, groups, dispatches, ends);
  };
  return { name, kind: 'dispatches', install };
}

function groupMade(name: string, change: (entries: GPUBindGroupEntry[]) => GPUBindGroupEntry[]): Fault {
  const install = () =>
    replace<CreateGroup>(
      'GPUDevice',
      'createBindGroup',
      (original) =>
        function (descriptor) {
          return original.call(this, { ...descriptor, entries: change([...descriptor.entries]) });
        },
    );
  return { name, kind: 'bindings', install };
}

const bufferOf = ({ resource }: GPUBindGroupEntry): GPUBufferBinding => resource as GPUBufferBinding;
const isStorage = (entry: GPUBindGroupEntry): boolean => (bufferOf(entry).buffer.usage & GPUBufferUsage.STORAGE) !== 0;

/** The buffers of the first two storage bindings exchanged, where neither is then too small or bound twice. */
function swapped(entries: GPUBindGroupEntry[]): GPUBindGroupEntry[] {
  const [a, b] = entries.filter(isStorage);
  if (!a || !b) return entries;
  return entries.map((entry) => {
    if (entry === a) return { binding: a.binding, resource: b.resource };
    return entry === b ? { binding: b.binding, resource: a.resource } : entry;
  });
}

function groupSet(name: string, kind: Fault['kind'], wrap: () => (original: SetGroup) => SetGroup): Fault {
  return { name, kind, install: () => replace<SetGroup>('GPUComputePassEncoder', 'setBindGroup', wrap()) };
}

function offsetsSet(name: string, change: (offset: number, before: number, count: number) => number): Fault {
  return groupSet(name, 'params', () => {
    let before = 0;
    let count = 0;
    return (original) =>
      function (index, group, offsets) {
        if (!offsets) return original.call(this, index, group);
        const wrong = [...offsets].map((offset) => {
          const changed = change(offset, before, count++);
          before = offset;
          return changed;
        });
        original.call(this, index, group, wrong);
      };
  });
}

function copied(
  name: string,
  change: (count: number, words: Parameters<CopyBuffer>) => Parameters<CopyBuffer> | null,
): Fault {
  const install = (): (() => void) => {
    let count = 0;
    return replace<CopyBuffer>(
      'GPUCommandEncoder',
      'copyBufferToBuffer',
      (original) =>
        function (...words) {
          const changed = change(count++, words);
          if (changed) original.apply(this, changed);
        },
    );
  };
  return { name, kind: 'copies', install };
}

function read(name: string, makeChange: () => (found: ArrayBuffer) => ArrayBuffer): Fault {
  const install = (): (() => void) => {
    const change = makeChange();
    return replace<GetRange>(
      'GPUBuffer',
      'getMappedRange',
      (original) =>
        function (offset = 0, given) {
          const size = given ?? this.size - offset;
          const range = original.call(this, offset, size);
          return (this.usage & GPUBufferUsage.MAP_READ) === 0 ? range : change(range.slice(0));
        },
    );
  };
  return { name, kind: 'reads', install };
}

/** Writes by the host left out, by their number. */
function writes(name: string, drops: (count: number) => boolean): Fault {
  const install = (): (() => void) => {
    let count = 0;
    return replace<WriteBuffer>(
      'GPUQueue',
      'writeBuffer',
      (original) =>
        function (...words) {
          if (!drops(count++)) original.apply(this, words);
        },
    );
  };
  return { name, kind: 'params', install };
}

/** Drivers and command processors. */
export const commandFaults: readonly Fault[] = [
  dropped('the first dispatch of every submit left out', (i) => i === 0),
  dropped('the tenth dispatch of every submit left out', (i) => i === 9),
  dropped('every 7th dispatch left out', (_, overall) => overall % 7 === 6),
  dropped('every 31st dispatch left out', (_, overall) => overall % 31 === 30),
  grid('the last workgroup left out', (x, y, z) => [x > 1 ? x - 1 : x, y, z]),
  grid('y of the grid ignored', (x, _, z) => [x, 1, z]),
  grid('z of the grid ignored', (x, y) => [x, y, 1]),
  reordered('neighboring dispatches exchanged', (steps) =>
    steps.map((_, i) => steps[i ^ 1] ?? (steps[i] as (() => void)[])),
  ),
  reordered('every 5th dispatch done twice', (steps) =>
    steps.flatMap((step, i) => (i % 5 === 4 ? [step, step] : [step])),
  ),
  groupMade('the first two storage bindings exchanged', swapped),
  groupMade('offsets of bindings ignored', (entries) =>
    entries.map((entry) => (isStorage(entry) ? { ...entry, resource: { ...bufferOf(entry), offset: 0 } } : entry)),
  ),
  groupMade('bindings end at half of their size', (entries) =>
    entries.map((entry) => {
      const { size } = bufferOf(entry);
      if (!isStorage(entry) || size === undefined || size < 64) return entry;
      return { ...entry, resource: { ...bufferOf(entry), size: Math.ceil(size / 32) * 16 } };
    }),
  ),
  groupSet('every 6th bind group is the one that its layout had before', 'bindings', () => {
    const layouts = new Map<string, GPUBindGroup>();
    let count = 0;
    return (original) =>
      function (index, group, offsets) {
        const before = layouts.get(group.label) ?? group;
        layouts.set(group.label, group);
        const wrong = count++ % 6 === 5 ? before : group;
        if (offsets) original.call(this, index, wrong, offsets);
        else original.call(this, index, wrong);
      };
  }),
  offsetsSet('dynamic offsets ignored', () => 0),
  offsetsSet('every 5th dynamic offset is the one before', (offset, before, count) =>
    count % 5 === 4 ? before : offset,
  ),
  writes('every 9th write by the host left out', (count) => count % 9 === 8),
  copied('every 3rd copy left out', (count, words) => (count % 3 === 2 ? null : words)),
  copied('source offsets of copies ignored', (_, [from, , ...rest]) => [from, 0, ...rest]),
  copied('copies end at half of their bytes', (_, [from, fromOffset, to, toOffset, bytes]) => [
    from,
    fromOffset,
    to,
    toOffset,
    bytes < 8 ? bytes : Math.ceil(bytes / 8) * 4,
  ]),
  read('every 4th read gives zeros', () => {
    let count = 0;
    return (found) => (count++ % 4 === 3 ? new ArrayBuffer(found.byteLength) : found);
  }),
  read('one bit of every 3rd read flipped', () => {
    let count = 0;
    return (found) => {
      const words = new Uint32Array(found);
      const middle = words.length >> 1;
      if (count++ % 3 === 2) words[middle] = (words[middle] as number) ^ (1 << 19);
      return found;
    };
  }),
  read('every 5th read gives what the one before gave', () => {
    let count = 0;
    let before: ArrayBuffer | null = null;
    return (found) => {
      const wrong = count++ % 5 === 4 && before?.byteLength === found.byteLength ? before : found;
      before = found;
      return wrong.slice(0);
    };
  }),
];
