/** One licence from submission to its end, as its people would carry it through; none of them thinks about anything. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import pg from 'pg';
import { asId } from '../../../domain/ids.ts';
import { licenseReviewId } from '../../../workflows/ids.ts';
import type { Order, Person } from './orders.ts';

export type CaseParts = Omit<Extract<Order, { kind: 'licences' }>, 'kind' | 'inFlight'> & {
  readonly changes: CaseChanges;
  readonly client: Client;
};

interface CaseNow {
  readonly state: string;
  readonly assignee: string | null;
  readonly invoice: string | null;
}

export interface CaseChanges {
  /** Looks at the case now and whenever its row changes, until it is as wanted. */
  until(id: string, wanted: (now: CaseNow) => boolean): Promise<CaseNow>;
}

/** From the notifications of PostgreSQL: asking the API again and again would be part of what is measured. */
export async function caseChanges(databaseUrl: string): Promise<CaseChanges> {
  const waiting = new Map<string, () => void>();
  const listener = new pg.Client({ connectionString: databaseUrl });
  await listener.connect();
  listener.on('notification', ({ payload = '' }) => waiting.get(payload)?.());
  await listener.query('listen application_changed');
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });

  const look = async (id: string): Promise<CaseNow> => {
    const { rows } = await pool.query<CaseNow>({
      name: 'case-now',
      text: `select a.state, a.assignee_id as assignee, i.id as invoice
               from applications a left join invoices i on i.application_id = a.id where a.id = $1`,
      values: [id],
    });
    if (!rows[0]) throw new Error(`there is no application ${id}`);
    return rows[0];
  };
  return {
    async until(id, wanted) {
      for (;;) {
        const changed = new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, LOOK_AGAIN_MS);
          waiting.set(id, () => {
            clearTimeout(timer);
            resolve();
          });
        });
        const now = await look(id);
        if (wanted(now)) return now;
        await changed;
      }
    },
  };
}

// The invoice's row is written in a transaction that does not touch the case's.
const LOOK_AGAIN_MS = 20;

const STAGES: readonly string[] = ['document_verification', 'compliance_check', 'approval'];

const isHeld = ({ state, assignee }: CaseNow): boolean => STAGES.includes(state) && assignee !== null;

/** Resolves when the review has ended: licence issued, certificate stored, every letter sent. */
export async function carryThrough(parts: CaseParts, id: string): Promise<void> {
  const { apiUrl, owner, changes, client, sandboxUrl } = parts;
  const api = `${apiUrl}/api/v1`;
  await ask(`${api}/licenses/applications/${id}/submit`, owner, {});
  let { assignee, invoice } = await changes.until(id, isHeld);
  while (invoice === null) {
    const before = assignee;
    await ask(`${api}/licenses/approve/${id}`, reviewer(parts, before), {});
    // The next stage, or the next vote of a quorum: nobody holds two tasks of a case.
    const isNext = (now: CaseNow) => now.invoice !== null || (isHeld(now) && now.assignee !== before);
    ({ assignee, invoice } = await changes.until(id, isNext));
  }
  const { paymentId } = await ask(`${api}/invoices/${invoice}/pay`, owner, { gateway: 'midtrans' });
  const { gatewayReference } = await ask(`${api}/payments/${String(paymentId)}`, owner);
  await ask(`${sandboxUrl}/_sandbox/payments/${String(gatewayReference)}/pay`, owner, {});
  await client.workflow.getHandle(licenseReviewId(asId(id))).result();
}

function reviewer({ reviewers }: CaseParts, userId: string | null): Person {
  const found = reviewers.find((person) => person.userId === userId);
  if (!found) throw new Error(`the task went to ${userId}, who is no reviewer of the bench`);
  return found;
}

async function ask(url: string, as: Person, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    method: body ? 'POST' : 'GET',
    headers: {
      authorization: `Bearer ${as.token}`,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} was answered ${response.status}: ${text}`);
  const answer: unknown = JSON.parse(text);
  return { ...(typeof answer === 'object' ? answer : {}) };
}
