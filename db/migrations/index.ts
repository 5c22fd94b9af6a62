import type { Knex } from 'knex';
import * as people from './0001-people.ts';
import * as licensing from './0002-licensing.ts';
import * as money from './0003-money.ts';
import * as mailAndRequests from './0004-mail-and-requests.ts';
import * as access from './0005-access.ts';
import * as gateways from './0006-gateways.ts';
import * as books from './0007-books.ts';
import * as review from './0008-review.ts';
import * as longLives from './0009-long-lives.ts';
import * as goods from './0010-goods.ts';
import * as goodsKept from './0011-goods-kept.ts';

interface Migration {
  readonly name: string;
  up(db: Knex): Promise<void>;
  down(db: Knex): Promise<void>;
}

/** In order of application; a merged one is never edited, the next change is a new file. */
const migrations: Migration[] = [
  { name: '0001-people', ...people },
  { name: '0002-licensing', ...licensing },
  { name: '0003-money', ...money },
  { name: '0004-mail-and-requests', ...mailAndRequests },
  { name: '0005-access', ...access },
  { name: '0006-gateways', ...gateways },
  { name: '0007-books', ...books },
  { name: '0008-review', ...review },
  { name: '0009-long-lives', ...longLives },
  { name: '0010-goods', ...goods },
  { name: '0011-goods-kept', ...goodsKept },
];

/** Listed by import, so that the built image needs no directory scan and names stay the same in .ts and .js. */
export const migrationSource: Knex.MigrationSource<Migration> = {
  getMigrations: async () => migrations,
  getMigrationName: (migration) => migration.name,
  getMigration: async (migration) => ({ up: migration.up, down: migration.down }),
};
