// The faults of unseen.ts that change a driver's commands.
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

type End = (this: GPUComputePassEncoder) => void;
type CreateLayout = (this: GPUDevice, descriptor: GPUBindGroupLayoutDescriptor) => GPUBindGroupLayout;
type Bytes = ArrayBuffer | ArrayBufferView<ArrayBuffer>;

const uniformUsage = 0x40;

/** The bytes that a writeBuffer call writes. */
function bytesOf(data: Bytes, from = 0, size?: number): Uint8Array<ArrayBuffer> {
  if (!ArrayBuffer.isView(data)) return new Uint8Array(data, from, size);
  const unit = 'BYTES_PER_ELEMENT' in data ? (data.BYTES_PER_ELEMENT as number) : 1;
  const length = size === undefined ? data.byteLength - from * unit : size * unit;
  return new Uint8Array(data.buffer, data.byteOffset + from * unit, length);
}

/** A uniform cache that invalidates the first page only: bytes past it keep the first value written. */
function staleUniforms(page: number): () => void {
  const written = new WeakMap<GPUBuffer, number>();
  return replace<WriteBuffer>(
    'GPUQueue',
    'writeBuffer',
    (original) =>
      function (buffer, offset, data, from, size) {
        const bytes = bytesOf(data, from, size);
        const end = offset + bytes.length;
        const known = Math.max(page, written.get(buffer) ?? 0);
        if ((buffer.usage & uniformUsage) === 0 || end <= page) {
          original.call(this, buffer, offset, data, from, size);
          return;
        }
        if (offset < page) original.call(this, buffer, offset, bytes.subarray(0, page - offset));
        const start = Math.max(offset, known);
        if (start < end) original.call(this, buffer, start, bytes.subarray(start - offset));
        written.set(buffer, Math.max(known, end));
      },
  );
}

interface Uses {
  readonly reads: ReadonlySet<string>;
  readonly writes: ReadonlySet<string>;
}

interface Step extends Uses {
  readonly issue: () => void;
}

const intersect = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => [...a].some((name) => b.has(name));

/** A dispatch does not wait for the previous one to read the data that it overwrites. */
function writeBeforeRead(): () => void {
  const layouts = new WeakMap<GPUBindGroupLayout, ReadonlySet<number>>();
  const groups = new WeakMap<GPUBindGroup, Uses>();
  const names = new WeakMap<GPUBuffer, number>();
  let named = 0;
  const nameOf = ({ buffer, offset = 0 }: GPUBufferBinding): string => {
    if (!names.has(buffer)) names.set(buffer, named++);
    return `${names.get(buffer)} at ${offset}`;
  };
  const passes = new WeakMap<
    GPUComputePassEncoder,
    { pipeline?: GPUComputePipeline; group?: [GPUBindGroup, number[] | undefined]; delayed?: Step }
  >();
  const passOf = (encoder: GPUComputePassEncoder) => {
    const pass = passes.get(encoder) ?? {};
    passes.set(encoder, pass);
    return pass;
  };
  let setPipeline: SetPipeline;
  let setGroup: SetGroup;
  return all(
    replace<CreateLayout>(
      'GPUDevice',
      'createBindGroupLayout',
      (original) =>
        function (descriptor) {
          const layout = original.call(this, descriptor);
          const written = [...descriptor.entries].filter(({ buffer }) => buffer?.type === 'storage');
          layouts.set(layout, new Set(written.map(({ binding }) => binding)));
          return layout;
        },
    ),
    replace<CreateGroup>(
      'GPUDevice',
      'createBindGroup',
      (original) =>
        function (descriptor) {
          const group = original.call(this, descriptor);
          const written = layouts.get(descriptor.layout) ?? new Set();
          const reads = new Set<string>();
          const writes = new Set<string>();
          for (const { binding, resource } of descriptor.entries) {
            const name = nameOf(resource as GPUBufferBinding);
            (written.has(binding) ? writes : reads).add(name);
          }
          groups.set(group, { reads, writes });
          return group;
        },
    ),
    replace<SetPipeline>('GPUComputePassEncoder', 'setPipeline', (original) => {
      setPipeline = original;
      return function (pipeline) {
        passOf(this).pipeline = pipeline;
      };
    }),
    replace<SetGroup>('GPUComputePassEncoder', 'setBindGroup', (original) => {
      setGroup = original;
      return function (_, group, offsets) {
        passOf(this).group = [group, offsets && [...offsets]];
      };
    }),
    replace<Dispatch>(
      'GPUComputePassEncoder',
      'dispatchWorkgroups',
      (original) =>
        function (x, y, z) {
          const pass = passOf(this);
          const { pipeline, group, delayed } = pass;
          const uses = (group && groups.get(group[0])) ?? { reads: new Set<string>(), writes: new Set<string>() };
          const issue = (): void => {
            if (pipeline) setPipeline.call(this, pipeline);
            if (group?.[1]) setGroup.call(this, 0, group[0], group[1]);
            else if (group) setGroup.call(this, 0, group[0]);
            original.call(this, x, y, z);
          };
          const free = delayed && !intersect(uses.reads, delayed.writes) && !intersect(uses.writes, delayed.writes);
          if (free && intersect(uses.writes, delayed.reads)) {
            issue();
            return;
          }
          delayed?.issue();
          pass.delayed = { ...uses, issue };
        },
    ),
    replace<End>(
      'GPUComputePassEncoder',
      'end',
      (original) =>
        function () {
          passOf(this).delayed?.issue();
          original.call(this);
        },
    ),
  );
}

const truncatedCopies = (limit: number) => () =>
  replace<CopyBuffer>(
    'GPUCommandEncoder',
    'copyBufferToBuffer',
    (original) =>
      function (from, fromOffset, to, toOffset, bytes) {
        original.call(this, from, fromOffset, to, toOffset, Math.min(bytes, limit));
      },
  );

const truncatedGrids = (limit: number) => () =>
  replace<Dispatch>(
    'GPUComputePassEncoder',
    'dispatchWorkgroups',
    (original) =>
      function (x, y, z) {
        original.call(this, Math.min(x, limit), y, z);
      },
  );

const wrappedOffsets = (limit: number) => () =>
  replace<SetGroup>(
    'GPUComputePassEncoder',
    'setBindGroup',
    (original) =>
      function (index, group, offsets) {
        if (offsets)
          original.call(
            this,
            index,
            group,
            Array.from(offsets, (offset) => offset % limit),
          );
        else original.call(this, index, group);
      },
  );

export const unseenCommandFaults: readonly Fault[] = [
  { name: 'unseen: copies truncated to 8 KiB', kind: 'copies', install: truncatedCopies(8192) },
  { name: 'unseen: rewritten uniforms stale past the first 4 KiB', kind: 'params', install: () => staleUniforms(4096) },
  { name: 'unseen: dispatches overwrite data before its readers finish', kind: 'dispatches', install: writeBeforeRead },
  { name: 'unseen: grids truncated to 256 workgroups', kind: 'dispatches', install: truncatedGrids(256) },
  { name: 'unseen: dynamic offsets wrap at 4 KiB', kind: 'params', install: wrappedOffsets(4096) },
];
