/** Companies that are being onboarded, over HTTP as their owners do it. */
import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { asId, type CompanyId } from '../../domain/ids.ts';
import type { TestApi, TestPerson } from '../support/api.ts';
import { aPdf } from './papers.ts';
import { type Answered, ask, type Problem } from './requests.ts';
import { someNpwp } from './sealed.ts';

export const someNib = (): string => String(randomInt(10 ** 12, 9 * 10 ** 12));

export interface OnboardingBody {
  readonly companyId: string;
  readonly companyStatus: string;
  readonly state: string;
  readonly percent: number;
  readonly steps: readonly {
    readonly step: string;
    readonly state: string;
    readonly completedAt: string | null;
    readonly metadata: Readonly<Record<string, unknown>>;
  }[];
  readonly remindersSent: number;
  readonly expiresAt: string | null;
  readonly eraseAt: string | null;
  readonly suggestedLicenses: readonly { readonly code: string }[];
  readonly requiredDocuments: readonly string[];
  readonly review: {
    readonly reasons: readonly string[];
    readonly numbers: readonly {
      readonly kind: string;
      readonly number: string;
      readonly registryState: string | null;
    }[];
  } | null;
}

export const newCompany = (over: object = {}) => ({
  name: 'Warung Sari',
  legalForm: 'PT_perorangan',
  npwp: someNpwp(),
  address: 'Jl. Braga 1, Bandung',
  kbli: ['56101'],
  ...over,
});

export async function register(api: TestApi, owner: TestPerson, over: object = {}): Promise<CompanyId> {
  const { status, body } = await ask(api, owner, 'POST', '/users/companies', { body: newCompany(over) });
  assert.equal(status, 201, JSON.stringify(body));
  return asId<CompanyId>(String(body['id']));
}

export const read = async (api: TestApi, who: TestPerson, id: string): Promise<OnboardingBody> => {
  const { status, body } = await ask<OnboardingBody>(api, who, 'GET', `/onboarding/${id}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};

/** @param key absent = a request of its own */
export const step = (
  api: TestApi,
  who: TestPerson,
  id: string,
  name: string,
  body: object = {},
  key: string = randomUUID(),
): Promise<Answered<OnboardingBody & Problem>> =>
  ask(api, who, 'POST', `/onboarding/${id}/steps/${name}`, { body, headers: { 'idempotency-key': key } });

export const say = (
  api: TestApi,
  who: TestPerson,
  id: string,
  what: string,
  body: object = {},
): Promise<Answered<OnboardingBody & Problem>> => ask(api, who, 'POST', `/onboarding/${id}/${what}`, { body });

export function upload(
  api: TestApi,
  who: TestPerson,
  id: string,
  kind: string,
  content: Uint8Array<ArrayBuffer> = new Uint8Array(aPdf()),
): Promise<Answered<{ readonly id: string } & Problem>> {
  const form = new FormData();
  form.set('kind', kind);
  form.set('file', new Blob([content], { type: 'application/pdf' }), `${kind}.pdf`);
  return ask(api, who, 'POST', `/onboarding/${id}/documents`, { body: form });
}

const STEPS = ['business_profile', 'identity', 'documents'] as const;

/** Up to this step and with it, all as it was entered with the company. */
export async function doneUpTo(
  api: TestApi,
  owner: TestPerson,
  id: string,
  last: (typeof STEPS)[number],
): Promise<void> {
  for (const name of STEPS.slice(0, STEPS.indexOf(last) + 1)) {
    if (name === 'documents') {
      const { requiredDocuments } = await read(api, owner, id);
      for (const kind of requiredDocuments) assert.equal((await upload(api, owner, id, kind)).status, 201);
    }
    const { status, body } = await step(api, owner, id, name, name === 'documents' ? { confirm: true } : {});
    assert.equal(status, 200, `${name}: ${JSON.stringify(body)}`);
  }
}
