/** Plays one scenario through the public API, the sandboxes' control and time travel, then lets everything settle. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import { asId, type InvoiceId, type RefundId } from '../../../domain/ids.ts';
import type { DemoAccount } from '../../../local/demo-data.ts';
import { paymentId, refundId } from '../../../workflows/ids.ts';
import type { TestSystem } from '../../support/system.ts';
import { travel } from '../../support/time.ts';
import type { Command, Scenario } from './scenario.ts';

/** The whole life of an invoice and its late look-ups is shorter than this. */
const LONG_SECONDS = 20 * 86_400;
const SETTLE_ROUNDS = 12;

export interface Stage {
  readonly system: TestSystem;
  /** As `kill -9` does it; resolves when another works in its place. */
  killWorker(): Promise<void>;
}

const attemptShape = z.object({
  id: z.string(),
  reference: z.string(),
  state: z.string(),
  paid_minor: z.bigint().nullable(),
});
type Attempt = z.infer<typeof attemptShape>;

export async function play(
  stage: Stage,
  invoiceId: InvoiceId,
  owner: Readonly<Record<string, string>>,
  scenario: Scenario,
) {
  const { system } = stage;
  const log: string[] = [];
  for (const command of scenario.commands) log.push(`${JSON.stringify(command)} → ${await one(command)}`);
  return log;

  async function one(command: Command): Promise<string> {
    switch (command.do) {
      case 'pay':
        return call(system, 'POST', `invoices/${invoiceId}/pay`, owner, {
          gateway: command.gateway,
          part: command.part,
        });
      case 'at-gateway': {
        const attempt = pick(await attempts(), command.attempt);
        if (!attempt) return 'no attempt';
        const query = `?webhook=${command.webhook}${command.webhook === 'late' ? '&delayMs=50' : ''}`;
        return control(system, `payments/${attempt.reference}/${command.event}${query}`);
      }
      case 'fault': {
        const known = await attempts();
        const reference = command.operation === 'create' ? `${invoiceId}-${known.length + 1}` : known.at(-1)?.reference;
        if (!reference) return 'no attempt';
        return control(system, 'faults', { operation: command.operation, kind: command.kind, times: 1, reference });
      }
      case 'wait':
        return wait(system.client, paymentId(invoiceId), command.seconds);
      case 'refund': {
        const attempt = pick(await paidOnes(), command.attempt);
        if (!attempt?.paid_minor) return 'nothing paid';
        const amount = (attempt.paid_minor * BigInt(command.percent)) / 100n;
        const body = { paymentId: attempt.id, amountMinor: Number(amount || 1n), reason: 'goodwill' };
        return call(system, 'POST', 'refunds', await system.as('finance'), body);
      }
      case 'kill-worker':
        await stage.killWorker();
        return 'killed';
    }
  }

  /** What was paid is known a moment after the gateway has told it, if it has. */
  async function paidOnes(): Promise<Attempt[]> {
    for (let tries = 0; tries < 20; tries += 1) {
      const paid = (await attempts()).filter(({ state, paid_minor }) => state === 'paid' && paid_minor);
      if (paid.length > 0) return paid;
      await pause(100);
    }
    return [];
  }

  async function attempts(): Promise<Attempt[]> {
    const rows: unknown = await system.database
      .db('payments')
      .where({ invoice_id: invoiceId })
      .orderBy('attempt')
      .select('id', { reference: 'gateway_reference' }, 'state', 'paid_minor');
    return z.array(attemptShape).parse(rows);
  }
}

const pick = <T>(items: readonly T[], index: number): T | undefined =>
  items[items.length - 1 - (index % (items.length || 1))];

/** Until no process of the invoice has anything left to do. @throws Error naming what does not come to rest */
export async function settle(
  { system }: Stage,
  invoiceId: InvoiceId,
  owner: Readonly<Record<string, string>>,
): Promise<void> {
  const { client } = system;
  const waited: string[] = [];
  for (let round = 0; round < SETTLE_ROUNDS; round += 1) {
    const open = await openRefunds();
    for (const refund of open) await helpOn(refund);
    const running = await stillRunning([paymentId(invoiceId), ...open.map(({ id }) => refundId(id))]);
    if (running.length === 0 && (await openRefunds()).length === 0) return;
    for (const workflowId of running) {
      waited.push(`${workflowId}: ${await wait(client, workflowId, LONG_SECONDS)}`);
      // The timers that it slept through fire one after the other, each with what it sets off.
      for (let tries = 0; tries < 30 && (await stillRunning([workflowId])).length > 0; tries += 1) await pause(200);
    }
  }
  throw new Error(`invoice ${invoiceId} does not come to rest: ${await whatIsLeft()}\n${waited.join('\n')}`);

  async function whatIsLeft(): Promise<string> {
    const attempts = await system.database
      .db('payments')
      .where({ invoice_id: invoiceId })
      .orderBy('attempt')
      .select('attempt', 'gateway', 'state');
    const { raw } = await client.workflow.getHandle(paymentId(invoiceId)).describe();
    const activities = raw.pendingActivities?.map(({ activityType, lastFailure }) => [
      activityType?.name,
      lastFailure?.message,
    ]);
    return JSON.stringify({ attempts, refunds: await openRefunds(), activities });
  }

  async function openRefunds(): Promise<{ id: RefundId; state: string; reference: string }[]> {
    return system.database
      .db('refunds as r')
      .join('payments as p', 'p.id', 'r.payment_id')
      .where('r.invoice_id', invoiceId)
      .whereNotIn('r.state', ['succeeded', 'failed', 'rejected', 'cancelled'])
      .select('r.id', 'r.state', { reference: 'p.gateway_reference' });
  }

  async function helpOn({ id, state, reference }: { id: RefundId; state: string; reference: string }): Promise<void> {
    if (state === 'requested') await call(system, 'POST', `refunds/${id}/approve`, await system.as('supervisor'), {});
    if (state === 'awaiting_destination')
      await call(system, 'POST', `refunds/${id}/destination`, owner, { channel: 'store_credit' });
    if (['submitted', 'pending', 'unknown'].includes(state))
      await control(system, `payments/${reference}/refund-settle`);
  }

  async function stillRunning(ids: readonly string[]): Promise<string[]> {
    const states = await Promise.all(ids.map(async (id) => [id, await isRunning(id)] as const));
    return states.filter(([, running]) => running).map(([id]) => id);
  }

  async function isRunning(id: string): Promise<boolean> {
    try {
      return (await client.workflow.getHandle(id).describe()).status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }
}

async function wait(client: Client, workflowId: string, seconds: number): Promise<string> {
  try {
    await travel(client, asId(workflowId), seconds, 90_000);
    return 'arrived';
  } catch (error) {
    // It has ended, or an activity is under way: what it waits for comes by itself in a moment.
    await pause(200);
    return error instanceof Error ? `${error.message} (${String(error.cause)})` : String(error);
  }
}

async function call(
  system: TestSystem,
  method: string,
  path: string,
  as: Readonly<Record<string, string>>,
  body: unknown,
): Promise<string> {
  const response = await fetch(`${system.api.url}/api/v1/${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...as },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status === 500) throw new Error(`${method} ${path} answered 500: ${text}`);
  return response.ok ? String(response.status) : `${response.status} ${codeIn(text)}`;
}

const problem = z.object({ code: z.string() });
const codeIn = (text: string): string => problem.safeParse(JSON.parse(text)).data?.code ?? text.slice(0, 80);

async function control(system: TestSystem, path: string, body?: unknown): Promise<string> {
  const response = await fetch(`${system.sandboxUrl}/_sandbox/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  await response.body?.cancel();
  return String(response.status);
}

export type { DemoAccount };
