import { WorkflowIdReusePolicy } from '@temporalio/common';
import { z } from 'zod';
import { type ReceivedNotice, receiveNotice } from '../../db/payment-inbox.ts';
import { Failure } from '../../domain/failures.ts';
import type { InvoiceId } from '../../domain/ids.ts';
import { GATEWAYS, type GatewayName } from '../../domain/payments.ts';
import { paymentId } from '../../workflows/ids.ts';
import { gatewayNoticeSignal, type PaymentInput } from '../../workflows/messages.ts';
import type { ApiDeps } from '../deps.ts';
import { loggable } from '../logging.ts';
import { withinTime } from '../review-process.ts';
import { defineRoute, json } from '../route.ts';
import { type ReceivedNotification, readNotification } from '../webhooks/index.ts';
import type { GatewayNotification } from '../webhooks/notification.ts';

const MAX_BYTES = 64 * 1024;

const receive = defineRoute({
  method: 'post',
  base: 'root',
  path: '/webhooks/:gateway',
  summary: 'Where payment gateways report',
  description:
    'Signed by the gateway, or with its password. 2xx = stored and passed on; anything else = send it again.',
  tags: ['Webhooks'],
  permission: 'public',
  params: z.object({ gateway: z.enum(GATEWAYS) }),
  limit: 'webhook',
  raw: true,
  idempotent: false,
  problems: ['not_found', 'bad_signature', 'malformed_request', 'file_too_large'],
  responses: { 200: { description: 'Stored', schema: z.object({ status: z.literal('received') }) } },
  async handler({ params: { gateway }, rawBody, deps, req }) {
    const notification = await read(gateway, { rawBody, headers: req.headers, address: req.originalUrl }, deps);
    await orComeAgain(deps, async () => {
      const notice = await receiveNotice(deps.db, { ...notification, at: new Date().toISOString() });
      // A repeat is passed on again until a process has looked: the first time, the signal may have been lost.
      if (notice.invoiceId && !notice.handled) await tellProcess(deps, notification, notice, notice.invoiceId);
    });
    return json(200, { status: 'received' });
  },
});

export const webhookRoutes = [receive];

async function read(
  gateway: GatewayName,
  received: ReceivedNotification,
  { gateways }: ApiDeps,
): Promise<GatewayNotification> {
  if (received.rawBody.length > MAX_BYTES) throw new Failure('file_too_large', 'A notification has at most 64 KB.');
  const reading = await readNotification(gateway, received, gateways);
  if (!reading) throw new Failure('not_found', `This office has no account at ${gateway}.`);
  if (reading.ok) return reading.notification;
  switch (reading.problem) {
    case 'bad_signature':
      throw new Failure('bad_signature', '');
    case 'malformed':
      throw new Failure('malformed_request', `This is not a notification as ${gateway} writes them.`);
  }
}

/** A gateway gives up soon after a 500 and tries longest after a 503, whatever the reason is on our side. */
async function orComeAgain(deps: ApiDeps, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.logger.error(
      { err: loggable(error) },
      'a notification could not be stored and passed on; the gateway will repeat it',
    );
    throw new Failure('temporarily_unavailable', '', {}, { cause: error });
  }
}

/** Wakes the collection of the invoice, or starts it anew when it had ended: money that comes late is still money. */
async function tellProcess(
  deps: ApiDeps,
  from: GatewayNotification,
  { inboxId, reference }: ReceivedNotice,
  invoiceId: InvoiceId,
): Promise<void> {
  const { gateway } = from;
  const input: PaymentInput = { invoiceId };
  await withinTime(deps.temporal, () =>
    deps.temporal.workflow.signalWithStart('invoicePayment', {
      workflowId: paymentId(invoiceId),
      taskQueue: deps.taskQueue,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      args: [input],
      signal: gatewayNoticeSignal,
      signalArgs: [{ gateway, reference, inboxId }],
      staticSummary: 'Payment of an invoice, woken by a late notice',
    }),
  );
}
