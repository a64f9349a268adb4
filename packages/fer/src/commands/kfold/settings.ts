// The settings that all folds of a folder share, stored in the folder.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FormatError } from '@mien/nn';
import { ValueError } from '@mien/tensor';
import { CATALOG, type DatasetName } from '../../datasets/catalog.ts';
import { type Dataset, FOLD_KINDS, type FoldKind } from '../../datasets/dataset.ts';
import { isModelName, type ModelName } from '../../models/catalog.ts';
import { pathOf, readJson } from '../../runs/folder.ts';
import { settingText } from '../../runs/settingText.ts';
import { faultOf, type Preset, type TrainingConfig } from '../../training/config.ts';
import { trainingConfig } from '../../training/presets.ts';

/** The data set whose folds `kfold` trains. */
export const FOLDED: Dataset<DatasetName> = CATALOG.find(({ folds }) => folds !== null) as Dataset<DatasetName>;

/** The file with the settings. */
export const SETTINGS = 'settings.json';

/** The settings of a folder of folds. */
export interface Settings {
  readonly model: ModelName;
  readonly folds: FoldKind;
  readonly data: string | null;
  readonly init: string | null;
  readonly protocol: TrainingConfig;
}

/** The options of `kfold` that decide the settings of a new folder. An existing folder supplies what is left out. */
export interface SettingsOptions {
  readonly model?: ModelName;
  /** A CK+48 folder. */
  readonly data?: string;
  /** Kind of folds. Default `reference`. */
  readonly folds?: FoldKind;
  /** A checkpoint or run folder with the initial weights of each fold. */
  readonly init?: string;
  readonly preset?: Preset;
  /** Changes to the preset's configuration. */
  readonly config?: Partial<TrainingConfig>;
}

export const settingsOptions = {
  model: true,
  data: true,
  folds: true,
  init: true,
  preset: true,
  config: true,
} as const;

/** Settings that hold for every fold of a folder, as errors name them. */
const settingNames = { model: 'model', folds: 'kind of folds', init: 'init', protocol: 'configuration' };

/** The settings of the folder `out`, or new ones. Throws ValueError where options differ from the folder's. */
export function settingsOf(out: string, options: SettingsOptions): Settings {
  const before = readSettings(join(out, SETTINGS));
  const model = options.model ?? before?.model;
  if (!model) throw new ValueError(`kfold: model is required, because ${out} has no folds (--model small)`);
  const changes = options.config ?? {};
  const now: Settings = {
    model,
    folds: options.folds ?? before?.folds ?? 'reference',
    data: options.data === undefined ? (before?.data ?? null) : resolve(options.data),
    init: options.init === undefined ? (before?.init ?? null) : pathOf(options.init),
    protocol:
      before === null || options.preset !== undefined
        ? trainingConfig(model, FOLDED.name, changes, options.preset)
        : trainingConfig(model, FOLDED.name, { ...before.protocol, ...changes }),
  };
  if (!FOLD_KINDS.includes(now.folds)) {
    throw new ValueError(`kfold: folds must be one of ${FOLD_KINDS.join(', ')}, got ${now.folds}`);
  }
  if (before) {
    const names = Object.keys(settingNames) as (keyof typeof settingNames)[];
    const changed = names.filter((name) => settingText(before[name]) !== settingText(now[name]));
    if (changed.length > 0) {
      throw new ValueError(
        `kfold: ${out} has folds with another ${changed.map((name) => settingNames[name]).join(', ')}; pass another --out`,
      );
    }
  }
  return now;
}

/** The settings in a file, or null where there is none. Throws FormatError for an edited file. */
function readSettings(file: string): Settings | null {
  if (!existsSync(file)) return null;
  const settings = readJson(file);
  const { model, folds, data, init, protocol } = Object(settings) as Partial<Record<keyof Settings, unknown>>;
  const isPath = (value: unknown): boolean => value === null || typeof value === 'string';
  const fault =
    (!isModelName(model) && `model is ${JSON.stringify(model)}`) ||
    (!FOLD_KINDS.includes(folds as FoldKind) && `folds are ${JSON.stringify(folds)}`) ||
    (!(isPath(data) && isPath(init)) && 'data and init must be paths or null') ||
    faultOf(protocol);
  if (fault) throw new FormatError(`${file}: ${fault}; the file was edited, or written by another version`);
  return settings as Settings;
}
