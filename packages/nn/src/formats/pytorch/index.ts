// @mien/nn/pytorch: reads and writes files of torch.save.
export { type PytorchFile, readPytorch } from './read.ts';
export {
  type PickleValue,
  type PytorchDtype,
  PytorchTensor,
} from './values.ts';
export { type Writable, type WritableTensor, writePytorch } from './write.ts';
