// The default device, which operations run on: opened by `init`, returned by `device`.
import { expectBoolean, expectFunction, expectOptions } from '../arguments.ts';
import { isNamed } from '../device/adapter.ts';
import { openDevice } from '../device/open.ts';
import { DeviceError } from '../errors.ts';
import { slot } from '../session.ts';
import { DeviceRuntime } from './device.ts';
import type { CompileProgress } from './pipelines.ts';
import type { Device, MemoryReport } from './publicDevice.ts';
import { applyTuneOption } from './tunerStore.ts';

/** How to choose a device. */
export interface InitOptions {
  /** `swiftshader`, `lavapipe`, or part of an adapter's name. Default: the environment's `MIEN_ADAPTER`, else the best one. */
  readonly adapter?: string;
  /**
   * Toggles of Dawn for this device, in Node only: a name enables one, `-name` disables it (`vulkan_enable_f16_on_nvidia`).
   * Default: those of the environment's `MIEN_DAWN`, separated by commas.
   */
  readonly dawn?: readonly string[];
  /**
   * Whether operations with several algorithms use the one that `tune` found fastest on this adapter; else the choice is fixed.
   * Default: as before, and in the first call the environment's `MIEN_TUNE`, `on` or `off` (the default).
   */
  readonly tune?: boolean;
}

/** The default device, from the first call of `init`. */
interface DefaultDevice {
  opening: Promise<DeviceRuntime> | null;
  device: DeviceRuntime | null;
  /** The Dawn toggles that it was opened with. */
  toggles: readonly string[] | undefined;
}

const defaultDevice = slot<DefaultDevice>(() => ({ opening: null, device: null, toggles: undefined }));

/**
 * Opens the default device once; later calls return the same one, unless it was lost. Throws DeviceError if there is no adapter, or
 * if the device already exists with another adapter or other Dawn toggles.
 */
export async function init(options: InitOptions = {}): Promise<Device> {
  expectOptions('init', options, ['adapter', 'dawn', 'tune']);
  if (options.tune !== undefined) expectBoolean('init', 'tune', options.tune);
  const current = defaultDevice.value;
  const isFirst = current.opening === null;
  current.opening ??= open(current, options);
  let made: DeviceRuntime;
  try {
    made = await current.opening;
  } catch (reason) {
    current.opening = null;
    throw reason;
  }
  const { adapter, dawn, tune } = options;
  if (adapter !== undefined && !isNamed(made.facts, adapter)) {
    throw new DeviceError(
      `init: the default device is already ${made.facts.name}, not ${adapter}; request it in the first call`,
    );
  }
  if (dawn !== undefined && dawn.join() !== current.toggles?.join()) {
    throw new DeviceError(
      `init: the default device already exists, with Dawn toggles [${current.toggles ?? 'of MIEN_DAWN'}], got [${dawn}]; pass them in the first call`,
    );
  }
  await applyTuneOption(made.facts, tune, isFirst);
  return made;
}

async function open(into: DefaultDevice, options: InitOptions): Promise<DeviceRuntime> {
  const { gpu, facts } = await openDevice(options);
  const made = new DeviceRuntime(gpu, facts);
  into.device = made;
  into.toggles = options.dawn;
  gpu.lost.then(() => {
    into.opening = null;
  });
  return made;
}

/** The default device. Throws DeviceError before `init()`. */
export function device(): Device {
  return currentDevice();
}

/** The default device as the runtime uses it. Throws DeviceError before `init()`. */
export function currentDevice(): DeviceRuntime {
  const { device } = defaultDevice.value;
  if (!device) throw new DeviceError('device: there is no device yet; call `await init()` before the first operation');
  return device;
}

/** Bytes and buffers on the default device. */
export function memory(): MemoryReport {
  return currentDevice().memory();
}

/**
 * Runs `fn`, a training step or a forward pass, and resolves with its result when every kernel that it needs has compiled. They
 * compile in parallel, each once, without blocking the host; `onProgress` is called as each is ready: `compiling 31 of 80`. The
 * work of `fn` is done at the next host read, which also reports kernels that do not compile.
 */
export function warmUp<T>(fn: () => T | Promise<T>, onProgress: CompileProgress = () => {}): Promise<T> {
  expectFunction('warmUp', fn);
  expectFunction('warmUp', onProgress);
  return currentDevice().watchCompilation(fn, onProgress);
}
