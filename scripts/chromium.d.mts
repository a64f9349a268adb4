import type { Browser } from 'playwright-core';

/** Starts a real Chromium with WebGPU on SwiftShader; close the browser that it gives. */
export function launchChromium(): Promise<Browser>;
