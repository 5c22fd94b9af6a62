/**
 * Where things lie on one machine. Everything that a run makes is under `.local/` (or the directory that
 * `ALUR_LOCAL_DIR` names: two systems side by side need two), what can be fetched again in `.cache/`.
 */
import { join, resolve } from 'node:path';

export const REPOSITORY = join(import.meta.dirname, '..');

const LOCAL = resolve(process.env.ALUR_LOCAL_DIR || join(REPOSITORY, '.local'));

export const PATHS = {
  local: LOCAL,
  cache: join(REPOSITORY, '.cache'),
  lock: join(LOCAL, 'supervisor.json'),
  ready: join(LOCAL, 'ready.json'),
  run: join(LOCAL, 'run'),
  logs: join(LOCAL, 'logs'),
  secrets: join(LOCAL, 'secrets'),
  files: join(LOCAL, 'files'),
  mailbox: join(LOCAL, 'mailbox'),
  gateways: join(LOCAL, 'gateways'),
  postgres: join(LOCAL, 'postgres'),
  temporalDatabase: join(LOCAL, 'temporal.db'),
} as const;
