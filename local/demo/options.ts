/** `npm run demo -- --type fuel_storage --slow`. */
import { parseArgs } from 'node:util';
import { messageOf } from '../failure.ts';
import { DemoFailure } from './failure.ts';

export interface DemoOptions {
  /** Code of a licence type. */
  readonly typeCode: string;
  /** How long a step stays alone on the screen. */
  readonly pauseMs: number;
}

const USAGE = 'Options: --type <code of a licence type>, --slow (pauses between the steps).';

/** @throws DemoFailure for an option that there is not */
export function optionsOf(args: readonly string[]): DemoOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { type: { type: 'string', default: 'restaurant' }, slow: { type: 'boolean', default: false } },
    });
    return { typeCode: values.type, pauseMs: values.slow ? 3_000 : 0 };
  } catch (error) {
    throw new DemoFailure(`${messageOf(error)}\n${USAGE}`);
  }
}
