/** What people do, through the public API only: the steps that the tests' stories are told in. */
import assert from 'node:assert/strict';
import { z } from 'zod';
import type { GatewayName } from '../../domain/payments.ts';
import type { DemoAccount } from '../../local/demo-data.ts';
import { aPdf } from '../builders/papers.ts';
import type { TestSystem } from './system.ts';
import { eventually } from './wait.ts';

const PDF = aPdf();

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface Call {
  readonly as?: DemoAccount;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const statusShape = z.looseObject({
  id: z.string(),
  state: z.string(),
  stage: z.string().nullable(),
  round: z.number(),
  invoice: z.looseObject({ id: z.string(), state: z.string() }).nullish(),
  license: z.looseObject({ id: z.string(), number: z.string(), verifyUrl: z.string() }).nullish(),
});
export type Status = z.infer<typeof statusShape>;

const typeShape = z.looseObject({
  code: z.string(),
  checklist: z.array(z.object({ kind: z.string(), required: z.boolean() })),
  exampleForm: z.record(z.string(), z.unknown()),
});

export const idShape = z.looseObject({ id: z.string() });
const stateShape = z.looseObject({ state: z.string() });
export const inboxShape = z.object({ items: z.array(z.looseObject({ applicationId: z.string(), stage: z.string() })) });
export const paidShape = z.looseObject({ paymentId: z.string(), redirectUrl: z.string() });

export function storyOf(system: TestSystem) {
  const call = async (method: string, path: string, { as, body, headers = {} }: Call = {}): Promise<Answer> => {
    const base = path.startsWith('/') ? system.api.url : `${system.api.url}/api/v1/`;
    const multipart = body instanceof FormData;
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        ...(as ? await system.as(as) : {}),
        ...(body === undefined || multipart ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: multipart ? body : JSON.stringify(body) }),
    });
    const isJson = response.headers.get('content-type')?.includes('json');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? await response.json() : await response.text(),
    };
  };

  const expect = async (status: number, answer: Promise<Answer>): Promise<Answer> => {
    const got = await answer;
    assert.equal(got.status, status, JSON.stringify(got.body));
    return got;
  };

  const status = async (id: string): Promise<Status> =>
    statusShape.parse((await expect(200, call('GET', `licenses/status/${id}`, { as: 'owner' }))).body);

  const reaches = (id: string, state: string, withinMs?: number): Promise<Status> =>
    eventually(
      `application ${id} to be ${state}`,
      async () => {
        const now = await status(id);
        return now.state === state ? now : null;
      },
      withinMs,
    );

  const licenseType = async (code: string) => {
    const { items } = z
      .object({ items: z.array(typeShape) })
      .parse((await call('GET', 'licenses/types', { as: 'owner' })).body);
    const found = items.find((type) => type.code === code);
    assert.ok(found, `licence type ${code}`);
    return found;
  };

  const companyId = async (): Promise<string> => {
    const answer = await expect(200, call('GET', 'users/companies', { as: 'owner' }));
    const [company] = z.object({ items: z.array(idShape) }).parse(answer.body).items;
    assert.ok(company, 'the owner has a company');
    return company.id;
  };

  const upload = async (id: string, kind: string, content: Buffer = PDF): Promise<Answer> => {
    const form = new FormData();
    form.set('kind', kind);
    form.set('file', new Blob([content], { type: 'application/pdf' }), `${kind}.pdf`);
    return call('POST', `licenses/applications/${id}/documents`, { as: 'owner', body: form });
  };

  /** A draft with every required document. */
  const draft = async (typeCode = 'restaurant'): Promise<string> => {
    const type = await licenseType(typeCode);
    const body = { companyId: await companyId(), typeCode, form: type.exampleForm };
    const { id } = idShape.parse(
      (await expect(201, call('POST', 'licenses/applications', { as: 'owner', body }))).body,
    );
    for (const { kind, required } of type.checklist) if (required) await expect(201, upload(id, kind));
    return id;
  };

  const submitted = async (typeCode?: string): Promise<string> => {
    const id = await draft(typeCode);
    await expect(200, call('POST', `licenses/applications/${id}/submit`, { as: 'owner' }));
    return id;
  };

  const REVIEWERS = ['verifier', 'examiner', 'approver', 'approver2', 'head', 'supervisor'] as const;

  /** Who has the case in the inbox, once somebody does. */
  const holder = (id: string, stage: string): Promise<(typeof REVIEWERS)[number]> =>
    eventually(`${stage} of ${id} in somebody's inbox`, async () => {
      for (const account of REVIEWERS) {
        const inbox = inboxShape.parse((await call('GET', 'licenses/assigned?limit=100', { as: account })).body);
        if (inbox.items.some((item) => item.applicationId === id && item.stage === stage)) return account;
      }
      return null;
    });

  /** Of a quorum, seat by seat, until the stage is passed. @returns who decided it */
  const approve = async (id: string, stage: string): Promise<(typeof REVIEWERS)[number]> => {
    for (;;) {
      const account = await holder(id, stage);
      const vote = call('POST', `licenses/approve/${id}`, { as: account, body: { note: 'complete' } });
      const { state } = stateShape.parse((await expect(200, vote)).body);
      if (state !== stage) return account;
    }
  };

  const approved = async (typeCode?: string): Promise<string> => {
    const id = await submitted(typeCode);
    for (const stage of ['document_verification', 'compliance_check', 'approval']) await approve(id, stage);
    return id;
  };

  const invoiceOf = (id: string): Promise<string> =>
    eventually(`an invoice of ${id}`, async () => (await status(id)).invoice?.id);

  /** Opens a payment attempt; gives the reference that the gateway knows it by. */
  const openPayment = async (
    id: string,
    gateway: GatewayName = 'midtrans',
  ): Promise<{ paymentId: string; reference: string; redirectUrl: string }> => {
    const invoiceId = await invoiceOf(id);
    const opened = await eventually('the invoice can be paid', async () => {
      const answer = await call('POST', `invoices/${invoiceId}/pay`, { as: 'owner', body: { gateway } });
      // Between the invoice's record and the start of its collection there is a moment without a process.
      if (answer.status === 409) return null;
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      return paidShape.parse(answer.body);
    });
    const payment = z
      .looseObject({ gatewayReference: z.string() })
      .parse((await expect(200, call('GET', `payments/${opened.paymentId}`, { as: 'owner' }))).body);
    return { ...opened, reference: payment.gatewayReference };
  };

  const sandbox = async (reference: string, event: string, query = ''): Promise<void> => {
    const response = await fetch(`${system.sandboxUrl}/_sandbox/payments/${reference}/${event}${query}`, {
      method: 'POST',
    });
    assert.equal(response.status, 200, await response.text());
  };

  return {
    call,
    expect,
    status,
    reaches,
    companyId,
    licenseType,
    draft,
    submitted,
    upload,
    holder,
    approve,
    approved,
    invoiceOf,
    openPayment,
    sandbox,
  };
}

export type Story = ReturnType<typeof storyOf>;
