// What all folds of a folder have in common, kept in it.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FormatError } from '@mien/nn';
import { ValueError } from '@mien/tensor';
import { FOLD_KINDS, type FoldKind } from '../../datasets/ckplus.ts';
import { pathOf, readJson } from '../../runs/folder.ts';
import { faultOf, MODELS, type ModelName, type TrainingConfig, trainingConfig } from '../../training/config.ts';
import { flat } from '../report/repeat.ts';
import type { KFoldOptions } from './kfold.ts';

/** The file that holds them. */
export const SETTINGS = 'settings.json';

/** What a folder of folds was started with; stored in it, so that all its folds are of one kind. */
export interface Settings {
  readonly model: ModelName;
  readonly folds: FoldKind;
  readonly data: string | null;
  readonly init: string | null;
  readonly protocol: TrainingConfig;
}

/** The settings of the folder, or new ones. Throws ValueError where both are given and differ. */
export function settle(out: string, options: KFoldOptions): Settings {
  const before = readSettings(join(out, SETTINGS));
  const model = options.model ?? before?.model;
  if (!model) throw new ValueError(`kfold: which model? (${out} holds no folds, and model is missing)`);
  const fresh = before === null;
  const changes = options.protocol ?? {};
  const now: Settings = {
    model,
    folds: options.folds ?? before?.folds ?? 'reference',
    data: options.data === undefined ? (before?.data ?? null) : resolve(options.data),
    init: options.init === undefined ? (before?.init ?? null) : pathOf(options.init),
    protocol:
      fresh || options.preset !== undefined
        ? trainingConfig(model, 'ck+', changes, options.preset)
        : trainingConfig(model, 'ck+', { ...before.protocol, ...changes }),
  };
  if (!FOLD_KINDS.includes(now.folds))
    throw new ValueError(`kfold: folds are ${FOLD_KINDS.join(', ')}, not ${now.folds}`);
  if (before) {
    const names = ['model', 'folds', 'init', 'protocol'] as const;
    const changed = names.filter((name) => flat(before[name]) !== flat(now[name]));
    if (changed.length > 0) {
      throw new ValueError(`kfold: ${out} holds folds of another ${changed.join(', ')}; name another folder`);
    }
  }
  return now;
}

/** The settings in a folder, or null. Throws FormatError where they were edited. */
function readSettings(file: string): Settings | null {
  if (!existsSync(file)) return null;
  const found = readJson(file);
  const { model, folds, data, init, protocol: of } = Object(found) as Partial<Record<keyof Settings, unknown>>;
  const path = (value: unknown): boolean => value === null || typeof value === 'string';
  const fault =
    (!MODELS.includes(model as ModelName) && `model is ${JSON.stringify(model)}`) ||
    (!FOLD_KINDS.includes(folds as FoldKind) && `folds are ${JSON.stringify(folds)}`) ||
    (!(path(data) && path(init)) && 'data and init are paths or null') ||
    faultOf(of);
  if (fault) throw new FormatError(`${file}: ${fault}; it was edited, or another version wrote it`);
  return found as Settings;
}
