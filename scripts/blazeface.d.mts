/** The safetensors bytes of BlazeFace from the parsed JSON and the weights of TensorFlow.js. Throws where the graph is another. */
export function convertBlazeFace(graph: object, weights: Uint8Array): Uint8Array;
