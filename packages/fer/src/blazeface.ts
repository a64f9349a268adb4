// The detector's weights, in a separate module so that pages without face detection do not load them.
import bytes from './detection/blazeface.safetensors';

/** MediaPipe's BlazeFace weights (Apache-2.0) as a safetensors file of 270 kB, for `BlazeFace.from`. */
export const blazeFaceWeights: Uint8Array = bytes;
