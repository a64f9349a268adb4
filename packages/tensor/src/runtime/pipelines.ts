// Pipelines by kernel, compiled asynchronously and in parallel: nothing waits for one until its first submit.
import { KernelError } from '../errors.ts';
import type { Kernel } from './kernel.ts';

/** A kernel on one device. `ready` is null while it compiles or when it failed. */
export interface Compiled {
  readonly kernel: Kernel;
  readonly layout: GPUBindGroupLayout;
  ready: GPUComputePipeline | null;
  error: KernelError | null;
  readonly settled: Promise<void>;
}

export class Pipelines {
  readonly #gpu: GPUDevice;
  readonly #compiled = new Map<Kernel, Compiled>();

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /** The kernel on this device, starting its compilation if it is new. */
  get(kernel: Kernel): Compiled {
    const known = this.#compiled.get(kernel);
    if (known) return known;
    // What does not compile is told by `settled`; the scope keeps it from the device's uncaptured errors.
    this.#gpu.pushErrorScope('validation');
    const module = this.#gpu.createShaderModule({ label: kernel.label, code: kernel.code });
    const layout = this.#bindGroupLayout(kernel);
    const descriptor = this.#descriptor(kernel, layout, module);
    const compiled: Compiled = {
      kernel,
      layout,
      ready: null,
      error: null,
      settled: this.#gpu.createComputePipelineAsync(descriptor).then(
        (pipeline) => {
          compiled.ready ??= pipeline;
        },
        async (reason: unknown) => {
          compiled.error = new KernelError(await explain(kernel, module, reason));
        },
      ),
    };
    this.#gpu.popErrorScope().catch(() => {});
    this.#compiled.set(kernel, compiled);
    return compiled;
  }

  #bindGroupLayout(kernel: Kernel): GPUBindGroupLayout {
    const entries: GPUBindGroupLayoutEntry[] = kernel.bindings.map((binding) => ({
      binding: binding.index,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: binding.access === 'read' ? 'read-only-storage' : 'storage' },
    }));
    if (kernel.params) {
      const buffer: GPUBufferBindingLayout = {
        type: 'uniform',
        hasDynamicOffset: true,
        minBindingSize: kernel.params.bytes,
      };
      entries.push({ binding: 0, visibility: GPUShaderStage.COMPUTE, buffer });
    }
    return this.#gpu.createBindGroupLayout({ label: kernel.label, entries });
  }

  #descriptor(kernel: Kernel, layout: GPUBindGroupLayout, module: GPUShaderModule): GPUComputePipelineDescriptor {
    return {
      label: kernel.label,
      layout: this.#gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: kernel.name },
    };
  }
}

async function explain(kernel: Kernel, module: GPUShaderModule, reason: unknown): Promise<string> {
  const { messages } = await module.getCompilationInfo();
  const errors = messages.filter((message) => message.type === 'error');
  const lines = errors.map((message) => `line ${message.lineNum}:${message.linePos}: ${message.message}`);
  return `${kernel.label}: does not compile: ${lines.length > 0 ? lines.join('; ') : String(reason)}`;
}
