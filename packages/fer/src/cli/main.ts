#!/usr/bin/env node
// The `mien` command.
import { Command } from 'commander';
import { version } from '../../package.json';
import { audit } from './audit.ts';
import { confusion } from './confusion.ts';
import { curves } from './curves.ts';
import { doctor } from './doctor.ts';
import { evaluate } from './evaluate.ts';
import { explain } from './explain.ts';
import { exportCommand } from './export.ts';
import { importCommand } from './import.ts';
import { kfold } from './kfold.ts';
import { models } from './models.ts';
import { predict } from './predict.ts';
import { prepare } from './prepare.ts';
import { profile } from './profile.ts';
import { report } from './report.ts';
import { train } from './train.ts';
import { tune } from './tune.ts';
import { video } from './video.ts';

const mien: Command = new Command('mien')
  .description('Trains and evaluates networks that recognize facial expressions, on WebGPU.')
  .version(version)
  .configureHelp({ helpWidth: 110 })
  .showHelpAfterError('(mien --help shows what there is)');

for (const command of [
  prepare,
  audit,
  train,
  kfold,
  evaluate,
  confusion,
  curves,
  report,
  predict,
  explain,
  video,
  models,
  importCommand,
  exportCommand,
  profile,
  tune,
  doctor,
]) {
  mien.addCommand(command.copyInheritedSettings(mien));
}

await mien.parseAsync();
