#!/usr/bin/env node
// The `mien` command.
import { Command } from 'commander';
import { version } from '../../package.json';
import { evaluate } from './evaluate.ts';
import { explain } from './explain.ts';
import { predict } from './predict.ts';
import { profile } from './profile.ts';
import { train } from './train.ts';
import { tune } from './tune.ts';
import { video } from './video.ts';

const mien: Command = new Command('mien')
  .description('Trains and evaluates networks that recognise facial expressions, on WebGPU.')
  .version(version)
  .configureHelp({ helpWidth: 110 })
  .showHelpAfterError('(mien --help shows what there is)');

for (const command of [train, evaluate, predict, explain, video, profile, tune])
  mien.addCommand(command.copyInheritedSettings(mien));

await mien.parseAsync();
