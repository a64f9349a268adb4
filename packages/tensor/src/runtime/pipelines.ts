// Compiles pipelines asynchronously and in parallel: only the first submit of a kernel waits for its pipeline.
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

/** Called with the number of kernels compiled and requested. */
export type CompileProgress = (done: number, total: number) => void;

export class Pipelines {
  readonly #gpu: GPUDevice;
  readonly #compiled = new Map<Kernel, Compiled>();
  /** By code: kernels that are declared twice compile once. */
  readonly #byCode = new Map<string, Compiled>();
  readonly #waiting = new Set<Compiled>();
  readonly #watchers = new Set<{ readonly started: () => void; readonly settled: () => void }>();

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /** Every kernel that was requested. */
  get kernels(): readonly Kernel[] {
    return [...this.#compiled.keys()];
  }

  /** The compiled kernel; starts its compilation at the first call. */
  get(kernel: Kernel): Compiled {
    const known = this.#compiled.get(kernel);
    if (known) return known;
    const same = this.#byCode.get(kernel.code);
    if (same) {
      this.#compiled.set(kernel, same);
      return same;
    }
    // `settled` reports compilation errors; the scope keeps them out of the device's uncaptured errors.
    this.#gpu.pushErrorScope('validation');
    const module = this.#gpu.createShaderModule({ label: kernel.label, code: kernel.code });
    const layout = this.#bindGroupLayout(kernel);
    const descriptor = this.#descriptor(kernel, layout, module);
    const compiled: Compiled = {
      kernel,
      layout,
      ready: null,
      error: null,
      settled: this.#gpu
        .createComputePipelineAsync(descriptor)
        .then(
          (pipeline) => {
            compiled.ready ??= pipeline;
          },
          async (reason: unknown) => {
            compiled.error = new KernelError(await explain(kernel, module, reason));
          },
        )
        .then(() => {
          this.#waiting.delete(compiled);
          for (const { settled } of this.#watchers) settled();
        }),
    };
    this.#waiting.add(compiled);
    for (const { started } of this.#watchers) started();
    this.#gpu.popErrorScope().catch(() => {});
    this.#compiled.set(kernel, compiled);
    this.#byCode.set(kernel.code, compiled);
    return compiled;
  }

  /** Reads every kernel's text again at its next use; an unchanged text is not compiled a second time. */
  forgetTexts(): void {
    this.#compiled.clear();
  }

  /** Runs `fn` and resolves when all kernels have compiled; calls `onProgress` as each does. */
  async watch<T>(fn: () => T | Promise<T>, onProgress: CompileProgress): Promise<T> {
    let done = 0;
    let total = this.#waiting.size;
    const watcher = {
      started: (): void => {
        total++;
      },
      settled: (): void => onProgress(++done, total),
    };
    this.#watchers.add(watcher);
    try {
      const result = await fn();
      while (this.#waiting.size > 0) await Promise.all(Array.from(this.#waiting, ({ settled }) => settled));
      return result;
    } finally {
      this.#watchers.delete(watcher);
    }
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
