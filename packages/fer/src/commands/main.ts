#!/usr/bin/env node
// The `mien` command.
import { Command } from 'commander';
import { version } from '../../package.json';
import { commandOf } from '../cli/program.ts';
import { auditCommand } from './audit/command.ts';
import { confusionCommand } from './confusion.ts';
import { curvesCommand } from './curves/command.ts';
import { doctorCommand } from './doctor.ts';
import { evaluateCommand } from './evaluate/command.ts';
import { explainCommand } from './explain/command.ts';
import { exportCommand } from './export/command.ts';
import { importCommand } from './import/command.ts';
import { kfoldCommand } from './kfold/command.ts';
import { modelsCommand } from './models.ts';
import { predictCommand } from './predict/command.ts';
import { prepareCommand } from './prepare.ts';
import { profileCommand } from './profile/command.ts';
import { reportCommand } from './report/command.ts';
import { trainCommand } from './train/command.ts';
import { tuneCommand } from './tune.ts';
import { videoCommand } from './video/command.ts';

const mien: Command = new Command('mien')
  .description('Trains and evaluates networks that recognize facial expressions, on WebGPU.')
  .version(version)
  .configureHelp({ helpWidth: 110 })
  .showHelpAfterError('(see mien --help)');

for (const definition of [
  prepareCommand,
  auditCommand,
  trainCommand,
  kfoldCommand,
  evaluateCommand,
  confusionCommand,
  curvesCommand,
  reportCommand,
  predictCommand,
  explainCommand,
  videoCommand,
  modelsCommand,
  importCommand,
  exportCommand,
  profileCommand,
  tuneCommand,
  doctorCommand,
]) {
  mien.addCommand(commandOf(definition, mien));
}

await mien.parseAsync();
