// Fonts and weights are bundled as their bytes.
declare module '*.ttf' {
  const bytes: Uint8Array;
  export default bytes;
}
declare module '*.safetensors' {
  const bytes: Uint8Array;
  export default bytes;
}
