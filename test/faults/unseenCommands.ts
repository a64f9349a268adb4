// The faults of unseen.ts in how a driver carries out commands.
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

/** Only the first page is invalidated in a cache of uniforms: bytes past it keep the first value written there. */
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

const meet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => [...a].some((name) => b.has(name));

/** A dispatch does not wait for the one before it to read what it overwrites. */
function overwritten(): () => void {
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
    { pipeline?: GPUComputePipeline; group?: [GPUBindGroup, number[] | undefined]; held?: Step }
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
          const { pipeline, group, held } = pass;
          const uses = (group && groups.get(group[0])) ?? { reads: new Set<string>(), writes: new Set<string>() };
          const issue = (): void => {
            if (pipeline) setPipeline.call(this, pipeline);
            if (group?.[1]) setGroup.call(this, 0, group[0], group[1]);
            else if (group) setGroup.call(this, 0, group[0]);
            original.call(this, x, y, z);
          };
          const free = held && !meet(uses.reads, held.writes) && !meet(uses.writes, held.writes);
          if (free && meet(uses.writes, held.reads)) {
            issue();
            return;
          }
          held?.issue();
          pass.held = { ...uses, issue };
        },
    ),
    replace<End>(
      'GPUComputePassEncoder',
      'end',
      (original) =>
        function () {
          passOf(this).held?.issue();
          original.call(this);
        },
    ),
  );
}

const copiesEnd = (most: number) => () =>
  replace<CopyBuffer>(
    'GPUCommandEncoder',
    'copyBufferToBuffer',
    (original) =>
      function (from, fromOffset, to, toOffset, bytes) {
        original.call(this, from, fromOffset, to, toOffset, Math.min(bytes, most));
      },
  );

const gridsEnd = (most: number) => () =>
  replace<Dispatch>(
    'GPUComputePassEncoder',
    'dispatchWorkgroups',
    (original) =>
      function (x, y, z) {
        original.call(this, Math.min(x, most), y, z);
      },
  );

const offsetsWrap = (most: number) => () =>
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
            Array.from(offsets, (offset) => offset % most),
          );
        else original.call(this, index, group);
      },
  );

export const unseenCommandFaults: readonly Fault[] = [
  { name: 'unseen: copies over 8 KiB end there', kind: 'copies', install: copiesEnd(8192) },
  { name: 'unseen: rewritten uniforms stale past the first 4 KiB', kind: 'params', install: () => staleUniforms(4096) },
  { name: 'unseen: dispatches overtake the readers of what they overwrite', kind: 'dispatches', install: overwritten },
  { name: 'unseen: grids of more than 256 groups end there', kind: 'dispatches', install: gridsEnd(256) },
  { name: 'unseen: dynamic offsets wrap at 4 KiB', kind: 'params', install: offsetsWrap(4096) },
];
