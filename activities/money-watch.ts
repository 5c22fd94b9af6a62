/** The minute's look at what waits in vain around money. */
import { log } from '@temporalio/activity';
import {
  closeClearedCases,
  noteTold,
  type Opened,
  openStuckCases,
  type UntoldNotice,
  untoldNotices,
} from '../db/money-watch.ts';
import { waitingRefunds } from '../db/refunds.ts';
import type { RefundId } from '../domain/ids.ts';
import type { ActivityDeps } from './deps.ts';
import { type ProcessSignal, type ProcessStart, startProcess, tellOrStartProcess } from './processes.ts';

export type { UntoldNotice } from '../db/money-watch.ts';

/** Each an instant, ISO 8601: what is older counts. */
export interface LookThrough {
  readonly at: string;
  readonly receivedBefore: string;
  readonly toldBefore: string;
  readonly requestedBefore: string;
  readonly stuckBefore: string;
  /** Of each sort. */
  readonly limit: number;
}

export interface Found {
  readonly notices: readonly UntoldNotice[];
  readonly refunds: readonly RefundId[];
  readonly opened: number;
  readonly closed: number;
  /** Of one sort there may be more than this. */
  readonly more: boolean;
}

/** What one process is told. Without a signal it is started, if it does not run. */
export interface Errand extends ProcessStart {
  readonly signal: ProcessSignal | null;
}

/** Errands of one object, in order, and the notices that are told of once all of them are accepted. */
export interface Telling {
  readonly inboxIds: readonly string[];
  readonly errands: readonly Errand[];
}

export function createMoneyWatchActivities({ db, money }: Pick<ActivityDeps, 'db' | 'money'>) {
  const [gateway = 'midtrans'] = money.gatewayOrder;
  return {
    /** Safe to repeat: cases are opened and closed once, the rest is only read. */
    async lookThroughMoney(input: LookThrough): Promise<Found> {
      const { at, limit, receivedBefore, toldBefore, requestedBefore, stuckBefore } = input;
      const opened = await openStuckCases(db, { at, before: stuckBefore, limit, gateway });
      for (const one of opened) raiseAlarm(one);
      const closed = await closeClearedCases(db, { at, limit });
      const notices = await untoldNotices(db, { receivedBefore, toldBefore }, limit);
      const refunds = await waitingRefunds(db, new Date(requestedBefore), limit);
      const more = [opened.length, closed, notices.length, refunds.length].some((count) => count >= limit);
      return { notices, refunds, opened: opened.length, closed, more };
    },

    /** One that cannot be told is left to the next sweep, and keeps no other from being told. */
    async tellProcesses({ tellings, at }: { tellings: readonly Telling[]; at: string }): Promise<{ told: number }> {
      let told = 0;
      for (const { errands, inboxIds } of tellings) {
        try {
          for (const errand of errands) await run(errand);
          if (inboxIds.length > 0) await noteTold(db, inboxIds, at);
          told += 1;
        } catch (error) {
          log.warn('a process could not be told; the next sweep will', { error, workflowId: errands[0]?.workflowId });
        }
      }
      return { told };
    },
  };
}

function raiseAlarm({ kind, reference }: Opened): void {
  if (kind === 'stuck_paid') log.error('paid for 15 minutes and not active', { kind, reference });
  else log.error('unclear at the gateway for 15 minutes', { kind, reference });
}

const run = ({ signal, ...start }: Errand): Promise<void> =>
  signal === null ? startProcess(start) : tellOrStartProcess(start, signal);
