#!/usr/bin/env node
// The `mien` command.
import { Command } from 'commander';
import { version } from '../../package.json';
import { evaluate } from './evaluate.ts';
import { importCommand } from './import.ts';
import { profile } from './profile.ts';
import { train } from './train.ts';
import { tune } from './tune.ts';

const mien: Command = new Command('mien')
  .description('Trains and evaluates networks that recognise facial expressions, on WebGPU.')
  .version(version)
  .configureHelp({ helpWidth: 110 })
  .showHelpAfterError('(mien --help shows what there is)');

for (const command of [train, evaluate, importCommand, profile, tune])
  mien.addCommand(command.copyInheritedSettings(mien));

await mien.parseAsync();
