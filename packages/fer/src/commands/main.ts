#!/usr/bin/env node
// The `mien` command.
import { Command } from 'commander';
import { version } from '../../package.json';
import { audit } from './audit/command.ts';
import { confusion } from './confusion.ts';
import { curves } from './curves/command.ts';
import { doctor } from './doctor/command.ts';
import { evaluate } from './evaluate/command.ts';
import { explain } from './explain/command.ts';
import { exportCommand } from './export/command.ts';
import { importCommand } from './import/command.ts';
import { kfold } from './kfold/command.ts';
import { models } from './models/command.ts';
import { predict } from './predict/command.ts';
import { prepare } from './prepare/command.ts';
import { profile } from './profile/command.ts';
import { report } from './report/command.ts';
import { train } from './train/command.ts';
import { tune } from './tune/command.ts';
import { video } from './video/command.ts';

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
