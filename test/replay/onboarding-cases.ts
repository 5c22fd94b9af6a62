/** Companies that come in, are sent back, are given up, and fall silent. */
import { randomUUID } from 'node:crypto';
import { asId, type CompanyId } from '../../domain/ids.ts';
import { onboardingPolicy } from '../../domain/onboarding.ts';
import { onboardingId } from '../../workflows/ids.ts';
import type { OnboardingInput } from '../../workflows/messages.ts';
import { doneUpTo, read, register, say, step } from '../builders/onboarding.ts';
import type { TestSystem } from '../support/system.ts';
import { DAY, travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';
import type { Played } from './cases.ts';

export function onboardingCasesOf(system: TestSystem): (() => Promise<Played>)[] {
  const { api, client, taskQueue } = system;
  const reaches = async (id: CompanyId, state: string, who: Parameters<typeof read>[1]) => {
    await eventually(`${id} to be ${state}`, async () => (await read(api, who, id)).state === state);
  };
  return [
    async () => {
      const owner = await api.person('owner');
      const id = await register(api, owner);
      await doneUpTo(api, owner, id, 'documents');
      await reaches(id, 'completed', owner);
      return { 'onboarding-completed': onboardingId(id) };
    },
    async () => {
      const [owner, verifier] = [await api.person('owner'), await api.person('verifier')];
      const id = await register(api, owner, { legalForm: 'koperasi' });
      await doneUpTo(api, owner, id, 'documents');
      await reaches(id, 'in_review', owner);
      await say(api, verifier, id, 'review', {
        decision: 'ask_again',
        step: 'identity',
        reason: 'the deed names another',
      });
      await step(api, owner, id, 'business_profile', { name: 'Koperasi Maju Bersama' });
      await step(api, owner, id, 'identity');
      await step(api, owner, id, 'documents', { confirm: true });
      await reaches(id, 'in_review', owner);
      await say(api, verifier, id, 'review', { decision: 'approve', reason: 'as in the deed' });
      await reaches(id, 'completed', owner);
      return { 'onboarding-reviewed': onboardingId(id) };
    },
    async () => {
      const owner = await api.person('owner');
      const id = await register(api, owner);
      await step(api, owner, id, 'business_profile');
      await say(api, owner, id, 'cancel');
      return { 'onboarding-cancelled': onboardingId(id) };
    },
    async () => {
      const owner = await api.person('owner');
      const id = await register(api, owner);
      await step(api, owner, id, 'business_profile');
      // It ends on the way.
      await travel(client, onboardingId(id), 32 * DAY).catch(() => undefined);
      await reaches(id, 'expired', owner);
      return { 'onboarding-silent': onboardingId(id) };
    },
    async () => {
      const companyId = asId<CompanyId>(randomUUID());
      const owner = await api.person('owner');
      const policy = onboardingPolicy({ zone: 'Asia/Jakarta', retentionDays: 90 });
      const input: OnboardingInput = {
        companyId,
        owner: owner.id,
        startedAt: new Date().toISOString(),
        run: 1,
        policy,
      };
      const workflowId = onboardingId(companyId);
      await client.workflow.start('onboarding', { workflowId, taskQueue, args: [input] });
      await travel(client, workflowId, 900).catch(() => undefined);
      return { 'onboarding-never-recorded': workflowId };
    },
    async () => {
      const owner = await api.person('owner');
      const id = await register(api, owner);
      await say(api, owner, id, 'cancel');
      await system.database
        .db('onboardings')
        .where({ company_id: id })
        .update({ erase_at: new Date(0) });
      const workflowId = `onboarding-erasure-${randomUUID()}`;
      await client.workflow.start('onboardingErasure', { workflowId, taskQueue, args: [1] });
      return { 'onboardingErasure-pages': workflowId };
    },
  ];
}
