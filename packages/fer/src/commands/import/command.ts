// `mien import`: PyTorch's files in.
import { Command, Option } from 'commander';
import { defined } from '../../cli/options.ts';
import { print, printJson } from '../../cli/output.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { MODELS, type ModelName } from '../../training/config.ts';
import { importWeights } from './import.ts';
import { listPytorch } from './listing.ts';
import { reportImport, reportListing } from './text.ts';

interface ImportWords {
  readonly model?: ModelName;
  readonly dataset?: 'fer2013' | 'ck+';
  readonly out?: string;
  readonly list?: boolean;
  readonly adapter?: string;
  readonly json?: boolean;
}

/** `mien import`. */
export const importCommand: Command = new Command('import')
  .description("Converts a PyTorch file into a checkpoint: the reference's releases, and state dicts of its networks.")
  .argument('<file>', 'what torch.save wrote')
  .addOption(new Option('--model <name>', 'the network it must fit (default: the one it does)').choices(MODELS))
  .addOption(
    new Option('--dataset <name>', 'whose classes its outputs stand for (default: told by the file)').choices([
      'fer2013',
      'ck+',
    ]),
  )
  .option('--out <file>', 'the file to write (default: beside the first, with another ending)')
  .addOption(new Option('--list', 'print its tensors and write nothing').conflicts(['model', 'dataset', 'out']))
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .addHelpText(
    'after',
    `
Nothing in the file is run: names that weights have no use for are refused. A whole module that was pickled needs
its own Python code; save its state dict there: torch.save(model.state_dict(), 'weights.pt').`,
  )
  .action((file: string, words: ImportWords) => runCommand(() => run(file, words)));

async function run(file: string, words: ImportWords): Promise<void> {
  const { model, dataset, out, list, adapter, json } = words;
  const show = <T extends object>(report: T, text: (report: T) => string): void =>
    json ? printJson(report) : print(text(report));
  if (list) show(listPytorch(file), reportListing);
  else show(await importWeights({ file, ...defined({ model, dataset, out, adapter }) }), reportImport);
}
