// The start check: exercises every kind of operation that kernels and the runtime rely on.
import { DeviceError } from '../../errors.ts';
import { Chain } from './chain.ts';
import type { Probe } from './probe.ts';
import { probes } from './probes.ts';

/** A failure of the start check. */
export interface Wrong {
  /** The kind of operation: `functions of floats`, `copies`, ... */
  readonly kind: string;
  readonly detail: string;
}

/** Each round submits a chain of commands, with one of the kernels while there are any, and reads the results. */
const rounds = 6;

/** A kernel of the check with its buffers, ready to be dispatched. */
interface Prepared {
  readonly probe: Probe;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly outputs: readonly GPUBuffer[];
  readonly buffers: readonly GPUBuffer[];
}

/**
 * Checks the results of `gpu`; returns the first failure, or null. `lanes` is its subgroup size, or null if it has no subgroups or
 * several sizes. Throws DeviceError if the device is lost meanwhile.
 */
export async function startCheck(gpu: GPUDevice, lanes: number | null): Promise<Wrong | null> {
  const lost = gpu.lost.then(({ reason, message }): never => {
    throw new DeviceError(`start check: the device was lost (${reason}: ${message}); call init() again`);
  });
  const found = check(gpu, lanes).catch(
    // A failure because of a lost device is reported as such: its promise settles before or shortly after.
    (reason: unknown) => settleLost(lost).then(() => ({ kind: 'commands', detail: messageOf(reason) })),
  );
  return Promise.race([found, lost]);
}

async function check(gpu: GPUDevice, lanes: number | null): Promise<Wrong | null> {
  gpu.pushErrorScope('validation');
  const [chain, ...prepared] = await Promise.all([
    Chain.open(gpu),
    ...probes(gpu.features, lanes).map((probe) => prepare(gpu, probe)),
  ]);
  const most = Math.max(...prepared.map(({ probe }) => total(probe.outputs)));
  const size = chain.staged + most;
  const staging = gpu.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  let wrong: Wrong | null = null;
  for (let round = 0; round < rounds && !wrong; round++)
    wrong = await runRound(gpu, chain, prepared[round] ?? null, staging, round);
  const buffers = [staging, ...chain.buffers, ...prepared.flatMap(({ buffers }) => buffers)];
  for (const buffer of buffers) buffer.destroy();
  const error = await gpu.popErrorScope();
  return wrong ?? (error && { kind: 'commands', detail: error.message });
}

/** One submit and one read. */
async function runRound(
  gpu: GPUDevice,
  chain: Chain,
  prepared: Prepared | null,
  staging: GPUBuffer,
  round: number,
): Promise<Wrong | null> {
  const encoder = gpu.createCommandEncoder();
  chain.encode(encoder, staging, round, (pass) => {
    if (!prepared) return;
    pass.setPipeline(prepared.pipeline);
    pass.setBindGroup(0, prepared.group);
    pass.dispatchWorkgroups(prepared.probe.groups);
  });
  let end = chain.staged;
  const outputs = (prepared?.outputs ?? []).map((output) => {
    encoder.copyBufferToBuffer(output, 0, staging, end, output.size);
    end += output.size;
    return [end - output.size, end] as const;
  });
  gpu.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const data = staging.getMappedRange().slice(0);
  staging.unmap();
  const wrong = chain.verify(data);
  if (wrong || !prepared) return wrong;
  const detail = prepared.probe.verify(outputs.map(([from, to]) => data.slice(from, to)));
  return detail === null ? null : { kind: prepared.probe.kind, detail };
}

async function prepare(gpu: GPUDevice, probe: Probe): Promise<Prepared> {
  const module = gpu.createShaderModule({ label: probe.kind, code: probe.code });
  const pipeline = await gpu.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const usage = GPUBufferUsage.STORAGE;
  const inputs = probe.inputs.map((data) => {
    const buffer = gpu.createBuffer({ size: data.byteLength, usage: usage | GPUBufferUsage.COPY_DST });
    gpu.queue.writeBuffer(buffer, 0, data);
    return buffer;
  });
  const outputs = probe.outputs.map((size) => gpu.createBuffer({ size, usage: usage | GPUBufferUsage.COPY_SRC }));
  const buffers = [...inputs, ...outputs];
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  return { probe, pipeline, group, outputs, buffers };
}

/** Waits for the loss of a device, which is reported a little later than its consequences. */
async function settleLost(lost: Promise<never>): Promise<void> {
  const pause = new Promise<void>((resolve) => setTimeout(resolve, 50));
  await Promise.race([pause, lost]);
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

function total(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}
