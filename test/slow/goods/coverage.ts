/** What was lived through: a suite in which nothing happened proves nothing. */
import type { Knex } from 'knex';
import { ENDED_RETURN_STATES } from '../../../domain/returns.ts';
import type { Command } from './scenario.ts';

const DONE = /^20\d/;
/** What an answer looks like to what had an effect; the others were refused, or came when there was nothing to do it with. */
const EFFECTIVE: Readonly<Record<Command['do'], RegExp>> = {
  pay: /^20\d, 200, closed/,
  'pay-credit': DONE,
  'pay-fault': DONE,
  edit: DONE,
  cancel: DONE,
  hold: DONE,
  release: DONE,
  pack: DONE,
  ship: DONE,
  deliver: DONE,
  'take-back': DONE,
  'receive-stock': DONE,
  carrier: /^200, (?!still)/,
  'carrier-fault': DONE,
  'refund-fail': /failed$/,
  'charge-back': /reversed$/,
  return: /20\d/,
  approve: DONE,
  reject: DONE,
  'request-info': DONE,
  'provide-info': DONE,
  'cancel-return': DONE,
  receive: DONE,
  inspect: DONE,
  resolve: DONE,
  'accept-deduction': DONE,
  dispute: DONE,
  'decide-dispute': DONE,
  continue: DONE,
  wait: /^arrived/,
  'look-round': /awake/,
  'kill-worker': /killed/,
};

/** The states in which each of them must have come to rest at least once, in as many runs as are the rule. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  orders: ['delivered', 'returned', 'refunded', 'cancelled'],
  order_units: ['delivered', 'returned', 'cancelled'],
  shipments: ['delivered', 'lost', 'sent_back'],
  returns: ENDED_RETURN_STATES,
  return_units: ['accepted', 'kept', 'declined', 'missing'],
  refunds: ['succeeded', 'failed'],
  payments: ['paid', 'reversed'],
  invoices: ['paid', 'lapsed', 'reversed'],
};

interface Count {
  readonly said: number;
  readonly effective: number;
}

export function openCoverage() {
  const counts = new Map<string, Count>();
  const refusals = new Map<string, number>();

  function heard(command: Command, answer: string): void {
    const isEffective = EFFECTIVE[command.do].test(answer);
    for (const key of new Set([command.do, inDetail(command)])) {
      const { said, effective } = counts.get(key) ?? { said: 0, effective: 0 };
      counts.set(key, { said: said + 1, effective: effective + (isEffective ? 1 : 0) });
    }
    if (!isEffective) refusals.set(`${command.do} ${answer}`, (refusals.get(`${command.do} ${answer}`) ?? 0) + 1);
  }

  /** @returns lines for people */
  async function told(db: Knex): Promise<string[]> {
    const lines: string[] = [];
    for (const table of Object.keys(ENDS)) lines.push(`${table}: ${tallied(await tally(db, table, 'state'))}`);
    return [
      `effective of said: ${[...counts].toSorted(byName).map(asOf).join(', ')}`,
      `refused: ${tallied([...refusals].toSorted(byName).map(([what, count]) => ({ what, count })))}`,
      ...lines,
      `cases of finance: ${tallied(await tally(db, 'payment_cases', 'kind'))}`,
    ];
  }

  /** @returns what never had an effect, and the ends that nothing came to */
  async function missing(db: Knex): Promise<string[]> {
    const never = Object.keys(EFFECTIVE).filter((what) => (counts.get(what)?.effective ?? 0) === 0);
    for (const [table, states] of Object.entries(ENDS)) {
      const reached = (await tally(db, table, 'state')).map(({ what }) => what);
      never.push(...states.filter((state) => !reached.includes(state)).map((state) => `${table} ${state}`));
    }
    return never;
  }

  return { heard, told, missing };
}

function inDetail(command: Command): string {
  switch (command.do) {
    case 'pay':
    case 'carrier':
      return `${command.do} ${command.event}`;
    case 'edit':
      return `edit ${command.quantity === null ? 'address' : 'items'}`;
    case 'deliver':
      return `deliver ${command.part}`;
    case 'resolve':
      return `resolve ${command.resolution}`;
    case 'decide-dispute':
      return `decide-dispute ${command.decision}`;
    case 'continue':
      return `continue ${command.to}`;
    default:
      return command.do;
  }
}

interface Tally {
  readonly what: string;
  readonly count: bigint | number;
}

const tally = (db: Knex, table: string, by: string): Promise<Tally[]> =>
  db(table).groupBy(by).orderBy(by).select({ what: by }).count({ count: '*' });

const tallied = (rows: readonly Tally[]): string => rows.map(({ what, count }) => `${what} ${count}`).join(', ');
const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
const asOf = ([what, { said, effective }]: readonly [string, Count]): string => `${what} ${effective}/${said}`;
