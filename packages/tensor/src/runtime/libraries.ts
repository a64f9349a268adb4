// Every WGSL library by the name that a kernel's `// uses:` line gives.
import arctangent from '@mien/shaders/lib/arctangent.wgsl';
import binaryOperations from '@mien/shaders/lib/binaryOperations.wgsl';
import channelWalk from '@mien/shaders/lib/channelWalk.wgsl';
import epilogue from '@mien/shaders/lib/epilogue.wgsl';
import gemm from '@mien/shaders/lib/gemm.wgsl';
import grid from '@mien/shaders/lib/grid.wgsl';
import longSum from '@mien/shaders/lib/longSum.wgsl';
import outerProduct from '@mien/shaders/lib/outerProduct.wgsl';
import philox from '@mien/shaders/lib/philox.wgsl';
import storeProduct from '@mien/shaders/lib/storeProduct.wgsl';
import wideProduct from '@mien/shaders/lib/wideProduct.wgsl';
import windows from '@mien/shaders/lib/windows.wgsl';
import winograd from '@mien/shaders/lib/winograd.wgsl';
import workgroupTile from '@mien/shaders/lib/workgroupTile.wgsl';

export const libraries: Readonly<Record<string, string>> = {
  'lib/arctangent.wgsl': arctangent,
  'lib/binaryOperations.wgsl': binaryOperations,
  'lib/channelWalk.wgsl': channelWalk,
  'lib/epilogue.wgsl': epilogue,
  'lib/gemm.wgsl': gemm,
  'lib/grid.wgsl': grid,
  'lib/longSum.wgsl': longSum,
  'lib/outerProduct.wgsl': outerProduct,
  'lib/philox.wgsl': philox,
  'lib/storeProduct.wgsl': storeProduct,
  'lib/wideProduct.wgsl': wideProduct,
  'lib/windows.wgsl': windows,
  'lib/winograd.wgsl': winograd,
  'lib/workgroupTile.wgsl': workgroupTile,
};
