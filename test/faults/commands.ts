// Faults of a driver's commands: dispatches, bindings, parameters, copies and reads.
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

/** Skips dispatches by their index in the submit or overall. */
function skippedDispatches(name: string, skips: (inSubmit: number, overall: number) => boolean): Fault {
  const install = (): (() => void) => {
    let inSubmit = 0;
    let overall = 0;
    const dispatches = replace<Dispatch>(
      'GPUComputePassEncoder',
      'dispatchWorkgroups',
      (original) =>
        function (x, y = 1, z = 1) {
          if (!skips(inSubmit++, overall++)) original.call(this, x, y, z);
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

/** Delays a pass's commands until its end, to reorder them. */
function reordered(name: string, change: (steps: (() => void)[][]) => (() => void)[][]): Fault {
  const install = (): (() => void) => {
    const passes = new Map<GPUComputePassEncoder, { steps: (() => void)[][]; state: Map<string, () => void> }>();
    const of = (pass: GPUComputePassEncoder): { steps: (() => void)[][]; state: Map<string, () => void> } => {
      const delayed = passes.get(pass) ?? { steps: [], state: new Map() };
      passes.set(pass, delayed);
      return delayed;
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
          const copy = offsets && [...offsets];
          of(this).state.set('group', () =>
            copy ? original.call(this, index, group, copy) : original.call(this, index, group),
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

function changedBindGroups(name: string, change: (entries: GPUBindGroupEntry[]) => GPUBindGroupEntry[]): Fault {
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

/** Swaps the buffers of the first two storage bindings. */
function swapped(entries: GPUBindGroupEntry[]): GPUBindGroupEntry[] {
  const [a, b] = entries.filter(isStorage);
  if (!a || !b) return entries;
  return entries.map((entry) => {
    if (entry === a) return { binding: a.binding, resource: b.resource };
    return entry === b ? { binding: b.binding, resource: a.resource } : entry;
  });
}

function changedSetBindGroup(name: string, kind: Fault['kind'], wrap: () => (original: SetGroup) => SetGroup): Fault {
  return { name, kind, install: () => replace<SetGroup>('GPUComputePassEncoder', 'setBindGroup', wrap()) };
}

function changedOffsets(name: string, change: (offset: number, before: number, count: number) => number): Fault {
  return changedSetBindGroup(name, 'params', () => {
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

function changedCopies(
  name: string,
  change: (count: number, args: Parameters<CopyBuffer>) => Parameters<CopyBuffer> | null,
): Fault {
  const install = (): (() => void) => {
    let count = 0;
    return replace<CopyBuffer>(
      'GPUCommandEncoder',
      'copyBufferToBuffer',
      (original) =>
        function (...args) {
          const changed = change(count++, args);
          if (changed) original.apply(this, changed);
        },
    );
  };
  return { name, kind: 'copies', install };
}

function changedReads(name: string, makeChange: () => (data: ArrayBuffer) => ArrayBuffer): Fault {
  const install = (): (() => void) => {
    const change = makeChange();
    return replace<GetRange>(
      'GPUBuffer',
      'getMappedRange',
      (original) =>
        function (offset = 0, length) {
          const size = length ?? this.size - offset;
          const range = original.call(this, offset, size);
          return (this.usage & GPUBufferUsage.MAP_READ) === 0 ? range : change(range.slice(0));
        },
    );
  };
  return { name, kind: 'reads', install };
}

/** Skips host writes by their index. */
function skippedWrites(name: string, skips: (count: number) => boolean): Fault {
  const install = (): (() => void) => {
    let count = 0;
    return replace<WriteBuffer>(
      'GPUQueue',
      'writeBuffer',
      (original) =>
        function (...args) {
          if (!skips(count++)) original.apply(this, args);
        },
    );
  };
  return { name, kind: 'params', install };
}

/** Faults of drivers and command processors. */
export const commandFaults: readonly Fault[] = [
  skippedDispatches('the first dispatch of every submit skipped', (i) => i === 0),
  skippedDispatches('the tenth dispatch of every submit skipped', (i) => i === 9),
  skippedDispatches('every 7th dispatch skipped', (_, overall) => overall % 7 === 6),
  skippedDispatches('every 31st dispatch skipped', (_, overall) => overall % 31 === 30),
  grid('the last workgroup skipped', (x, y, z) => [x > 1 ? x - 1 : x, y, z]),
  grid('y of the grid ignored', (x, _, z) => [x, 1, z]),
  grid('z of the grid ignored', (x, y) => [x, y, 1]),
  reordered('neighboring dispatches swapped', (steps) =>
    steps.map((_, i) => steps[i ^ 1] ?? (steps[i] as (() => void)[])),
  ),
  reordered('every 5th dispatch executed twice', (steps) =>
    steps.flatMap((step, i) => (i % 5 === 4 ? [step, step] : [step])),
  ),
  changedBindGroups('the first two storage bindings swapped', swapped),
  changedBindGroups('binding offsets ignored', (entries) =>
    entries.map((entry) => (isStorage(entry) ? { ...entry, resource: { ...bufferOf(entry), offset: 0 } } : entry)),
  ),
  changedBindGroups('bindings truncated to half their size', (entries) =>
    entries.map((entry) => {
      const { size } = bufferOf(entry);
      if (!isStorage(entry) || size === undefined || size < 64) return entry;
      return { ...entry, resource: { ...bufferOf(entry), size: Math.ceil(size / 32) * 16 } };
    }),
  ),
  changedSetBindGroup('every 6th bind group replaced by the previous one of its layout', 'bindings', () => {
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
  changedOffsets('dynamic offsets ignored', () => 0),
  changedOffsets('every 5th dynamic offset replaced by the previous one', (offset, before, count) =>
    count % 5 === 4 ? before : offset,
  ),
  skippedWrites('every 9th host write skipped', (count) => count % 9 === 8),
  changedCopies('every 3rd copy skipped', (count, args) => (count % 3 === 2 ? null : args)),
  changedCopies('source offsets of copies ignored', (_, [from, , ...rest]) => [from, 0, ...rest]),
  changedCopies('copies truncated to half their size', (_, [from, fromOffset, to, toOffset, bytes]) => [
    from,
    fromOffset,
    to,
    toOffset,
    bytes < 8 ? bytes : Math.ceil(bytes / 8) * 4,
  ]),
  changedReads('every 4th read returns zeros', () => {
    let count = 0;
    return (data) => (count++ % 4 === 3 ? new ArrayBuffer(data.byteLength) : data);
  }),
  changedReads('one bit of every 3rd read flipped', () => {
    let count = 0;
    return (data) => {
      const words = new Uint32Array(data);
      const middle = words.length >> 1;
      if (count++ % 3 === 2) words[middle] = (words[middle] as number) ^ (1 << 19);
      return data;
    };
  }),
  changedReads('every 5th read returns the previous data', () => {
    let count = 0;
    let before: ArrayBuffer | null = null;
    return (data) => {
      const wrong = count++ % 5 === 4 && before?.byteLength === data.byteLength ? before : data;
      before = data;
      return wrong.slice(0);
    };
  }),
];
