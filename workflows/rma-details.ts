/** A return as ops see it in Temporal's UI: a table that a person can act on. */
import { setCurrentDetails } from '@temporalio/workflow';
import type { ReturnDue, ReturnRung, ReturnStanding } from '../domain/return-timeline.ts';
import type { ReturnEffect } from '../domain/return-undoing.ts';
import type { ReturnState } from '../domain/returns.ts';

export const SUMMARIES: Readonly<Record<ReturnRung, string>> = {
  remind: 'Remind whoever is waited for',
  escalate: 'Tell supervisors that it waits',
  expire: 'End it, nothing was sent',
  label_given_up: 'Have people see to the label',
  late: 'Tell both sides that the parcel is late',
  lost: 'Call the parcel lost',
  lost_for_good: 'Give back what was lost on the way',
  rest_missing: 'Go on without what never came',
  default: 'Resolve it as the policy says',
  overdue: 'Have people look into it',
};

const WAITS_FOR: Readonly<Record<ReturnState, string>> = {
  requested: 'a seller: approve, reject, requestInfo',
  under_review: 'a seller: approve, reject, requestInfo',
  info_requested: 'the customer: provideInfo',
  approved: 'the carrier, who makes a label',
  label_pending: 'the carrier, who makes a label',
  awaiting_shipment: 'the customer, who sends it',
  in_transit: 'the carrier, or the warehouse: receive',
  lost_in_transit: 'the carrier; it is given back when the time comes',
  received: 'the warehouse: receive, inspect',
  inspecting: 'the warehouse: inspect, receive',
  resolution_pending: 'the customer: resolve, acceptDeduction, dispute; staff: decideDispute',
  refunding: 'the refund',
  replacing: 'the order that replaces it',
  manual_review: 'a person: continue',
  expired: 'nobody; a parcel that comes reopens it',
  closed_refunded: 'nobody; watched in case the money comes back',
  closed_replaced: 'nobody',
  closed_mixed: 'nobody; watched in case the money comes back',
  rejected: 'nobody',
  cancelled: 'nobody; a parcel that comes reopens it',
};

export function showReturn(it: ReturnStanding, due: ReturnDue | null, effects: readonly ReturnEffect[]): void {
  const day = (at: number): string => new Date(at).toISOString();
  const units = Object.entries(it.units).map(([state, count]) => `${count} ${state}`);
  const { statement } = it;
  const rows = [
    ['state', `**${it.state}** since ${day(it.stateSince)}`],
    ['waits for', it.isDisputed ? 'staff: decideDispute (not who inspected it)' : WAITS_FOR[it.state]],
    ['next by itself', due ? `${SUMMARIES[due.kind]}, ${day(due.at)}` : '–'],
    ['units', units.join(', ') || '–'],
    ['order', `\`order/${it.orderId}\``],
    ...(it.manualReasons.length > 0
      ? [['why a person', it.manualReasons.map((reason) => `\`${reason}\``).join(' ')]]
      : []),
    ...(statement
      ? [
          [
            'statement',
            `version ${statement.version}, accepted ${statement.acceptedVersion ?? '–'}, refund ${statement.refundMinor}`,
          ],
        ]
      : []),
    ...(it.replacementOrderId ? [['replaced by', `\`order/${it.replacementOrderId}\``]] : []),
    ...(effects.length > 0 ? [['undone if it ends now', effects.toReversed().join(', ')]] : []),
  ];
  setCurrentDetails(
    [`| return | ${it.number} |`, '| --- | --- |', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n'),
  );
}
