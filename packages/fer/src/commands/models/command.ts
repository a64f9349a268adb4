// `mien models`: what comes trained, and what can be trained.
import { Command } from 'commander';
import { print, printJson } from '../../cli/output.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { range, share, whole } from '../../runs/accuracy.ts';
import { type ModelsReport, models as modelsThere, type ShippedModel } from './models.ts';

/** `mien models`. */
export const models: Command = new Command('models')
  .description(
    'Lists the networks: those that come trained, with size, accuracy, license and checksum, and the others.',
  )
  .option('--json', 'standard output carries one JSON object and nothing else')
  .action(({ json }: { readonly json?: boolean }) =>
    runCommand(async () => {
      const report = await modelsThere();
      if (json) printJson(report);
      else print(lines(report));
    }),
  );

function lines({ shipped, detector, untrained }: ModelsReport): string {
  return [
    ...shipped.flatMap(shippedLines),
    `${detector.name}, the face detector: ${size(detector.bytes)}`,
    `  license: ${detector.license}`,
    `  sha256: ${detector.sha256}`,
    `without weights: ${untrained.join(', ')}; mien train --model NAME, or mien import FILE`,
    '',
  ].join('\n');
}

function shippedLines(model: ShippedModel): string[] {
  const { name, parameters, bytes, sha256, license, epochs, seed, accuracy, interval, n, command } = model;
  return [
    `${name}: ${whole(parameters)} parameters, ${size(bytes)}, trained on FER2013 (${epochs} epochs, seed ${seed})`,
    `  accuracy: ${share(accuracy)} of ${whole(n)} images of PrivateTest (95 % interval ${range(interval)}), ${share(model.accuracyWithoutDuplicates)} without those known from training`,
    `  measured by: ${command}`,
    `  license: ${license}`,
    `  sha256: ${sha256}`,
  ];
}

function size(bytes: number): string {
  return `${whole(Math.round(bytes / 1000))} kB`;
}
