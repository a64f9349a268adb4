// `mien import`.
import { type CommandDefinition, defineCommand } from '../../cli/defineCommand.ts';
import { ADAPTER, choice, conflicting, flag, text } from '../../cli/options.ts';
import { DATASETS } from '../../datasets/catalog.ts';
import { MODELS } from '../../models/catalog.ts';
import { importWeights } from './import.ts';
import { listPytorch } from './listing.ts';
import { importText, listingText } from './text.ts';

/** `mien import`. */
export const importCommand: CommandDefinition = defineCommand({
  name: 'import',
  summary: "Converts a PyTorch file to a checkpoint: the reference's releases, and state dicts of its networks.",
  argument: { flags: '<file>', summary: 'a file of torch.save' },
  options: {
    model: choice('<name>', MODELS, 'require this network (default: the one that fits)'),
    dataset: choice('<name>', DATASETS, 'the data set of the output classes (default: as the file says)'),
    out: text('<file>', 'the file to write (default: the same name with another extension)'),
    list: conflicting(flag('print the tensors and write nothing'), ['model', 'dataset', 'out']),
    adapter: ADAPTER,
  },
  notes: `No code in the file is executed: names that are not needed for weights are refused. A pickled module needs its own
Python code; save its state dict instead: torch.save(model.state_dict(), 'weights.pt').`,
  run: async ({ argument: file, options: { list, ...options } }) => {
    if (list) {
      const report = listPytorch(file);
      return { report, text: listingText(report) };
    }
    const report = await importWeights({ file, ...options });
    return { report, text: importText(report) };
  },
});
