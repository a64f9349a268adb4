// Every WGSL library by the name that a kernel's `// uses:` line gives.
import binaryOperations from '@mien/shaders/lib/binaryOperations.wgsl';
import grid from '@mien/shaders/lib/grid.wgsl';

export const libraries: Readonly<Record<string, string>> = {
  'lib/binaryOperations.wgsl': binaryOperations,
  'lib/grid.wgsl': grid,
};
