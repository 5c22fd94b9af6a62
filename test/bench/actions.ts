/**
 * Billable actions of an execution, counted from its history as Temporal Cloud counts them
 * (https://docs.temporal.io/cloud/actions): a start; a child workflow, two (the start and the execution), noted with the
 * parent, so the child's own start is not counted again; a timer, also one behind `condition` with a time; an upsert of
 * search attributes; a signal, where it arrives; an update that was accepted; an activity and each retry of it. Queries
 * and heartbeats leave no event; there are none on the way that is counted here.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { asId } from '../../domain/ids.ts';
import { activationId, licenseReviewId, paymentId } from '../../workflows/ids.ts';
import { ask, atRest, openCases } from './cases.ts';
import { decideAll } from './decision.ts';
import type { Machine } from './machine.ts';

type Event = NonNullable<History['events']>[number];

export const KINDS = [
  'workflow started',
  'child workflow',
  'activity',
  'activity retry',
  'timer',
  'update',
  'signal',
  'search attributes',
] as const;
export type Kind = (typeof KINDS)[number];
export type Counts = Readonly<Record<Kind, number>>;

export interface LicenceActions {
  readonly review: Counts;
  readonly activation: Counts;
  readonly payment: Counts;
}

export const totalOf = (counts: Counts): number => KINDS.reduce((sum, kind) => sum + counts[kind], 0);
export const actionsOf = (licence: LicenceActions): number =>
  totalOf(licence.review) + totalOf(licence.activation) + totalOf(licence.payment);
export const countOf = ({ review, activation, payment }: LicenceActions, kind: Kind): number =>
  review[kind] + activation[kind] + payment[kind];

/**
 * Licences whose people take their time: each step comes when the process has gone to rest, as it always does in life.
 * Somebody who decides the moment a task opens saves the timer that would have reminded them.
 */
export async function countActions(machine: Machine): Promise<LicenceActions[]> {
  const ids = await openCases(machine, CASES);
  await decideAll(machine, ids, async () => undefined);
  const invoices: { id: string; invoice: string }[] = await machine
    .db('invoices')
    .whereIn('application_id', ids)
    .select({ id: 'application_id', invoice: 'id' });
  for (const { invoice } of invoices) await payAtLeisure(machine, invoice);
  await atRest(machine, ids, 'active', LETTERS_OF_A_LICENCE);
  await Promise.all(ids.map((id) => machine.client.workflow.getHandle(licenseReviewId(asId(id))).result()));
  return Promise.all(ids.map((id) => licenceActions(machine, id)));
}

const CASES = 5;
const LETTERS_OF_A_LICENCE = 7;
/** The answer to the payer leaves before the process has gone back to waiting. */
const AT_LEISURE_MS = 1_000;

async function payAtLeisure(machine: Machine, invoice: string): Promise<void> {
  await ask(machine, 'POST', `invoices/${invoice}/pay`, { gateway: 'midtrans' });
  await delay(AT_LEISURE_MS);
  const payment: { reference: string } | undefined = await machine
    .db('payments')
    .where({ invoice_id: invoice })
    .first({ reference: 'gateway_reference' });
  const url = `${machine.sandboxUrl}/_sandbox/payments/${payment?.reference}/pay`;
  const response = await fetch(url, { method: 'POST' });
  if (!response.ok) throw new Error(`POST ${url} was answered ${response.status}: ${await response.text()}`);
}

export async function licenceActions({ client, db }: Machine, applicationId: string): Promise<LicenceActions> {
  const invoice: { id: string } | undefined = await db('invoices').where({ application_id: applicationId }).first('id');
  if (!invoice) throw new Error(`application ${applicationId} has no invoice`);
  return {
    review: await countsOf(client, licenseReviewId(asId(applicationId))),
    activation: await countsOf(client, activationId(asId(applicationId))),
    payment: await countsOf(client, paymentId(asId(invoice.id))),
  };
}

export async function countsOf(client: Client, workflowId: string): Promise<Counts> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const counts: Record<Kind, number> = {
    'workflow started': 0,
    'child workflow': 0,
    activity: 0,
    'activity retry': 0,
    timer: 0,
    update: 0,
    signal: 0,
    'search attributes': 0,
  };
  for (const event of events ?? []) for (const [kind, number] of billed(event)) counts[kind] += number;
  return counts;
}

function billed(event: Event): [Kind, number][] {
  if (event.workflowExecutionStartedEventAttributes)
    return event.workflowExecutionStartedEventAttributes.parentWorkflowExecution ? [] : [['workflow started', 1]];
  if (event.startChildWorkflowExecutionInitiatedEventAttributes) return [['child workflow', 2]];
  if (event.activityTaskScheduledEventAttributes) return [['activity', 1]];
  if (event.activityTaskStartedEventAttributes)
    return [['activity retry', (event.activityTaskStartedEventAttributes.attempt ?? 1) - 1]];
  if (event.timerStartedEventAttributes) return [['timer', 1]];
  if (event.workflowExecutionUpdateAcceptedEventAttributes) return [['update', 1]];
  if (event.workflowExecutionSignaledEventAttributes) return [['signal', 1]];
  if (event.upsertWorkflowSearchAttributesEventAttributes) return [['search attributes', 1]];
  return [];
}
