// The detector's weights, apart from the rest so that a page which detects no faces does not load them.
import bytes from './detection/blazeface.safetensors';

/** BlazeFace's weights as a safetensors file (270 kB), for `BlazeFace.from`. MediaPipe's, under Apache-2.0. */
export const blazeFaceWeights: Uint8Array = bytes;
