/** A kernel's text; esbuild inlines it. */
declare module '*.wgsl' {
  const text: string;
  export default text;
}
