/** Licences that are followed, renewed and adopted. */
import { randomUUID } from 'node:crypto';
import { type ApplicationId, asId, type CompanyId, type LicenseId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { activationId, licenseFollowingId, licenseReviewId } from '../../workflows/ids.ts';
import { licenseChangedSignal } from '../../workflows/messages.ts';
import { aLicenseType } from '../builders/licensing.ts';
import { anEndingLicense } from '../builders/renewals.ts';
import { idShape, storyOf } from '../support/story.ts';
import type { TestSystem } from '../support/system.ts';
import { DAY, travel } from '../support/time.ts';
import { eventually } from '../support/wait.ts';
import type { Played } from './cases.ts';

export async function playRenewals(system: TestSystem): Promise<Played> {
  const { client, taskQueue } = system;
  const { db } = system.database;
  const story = storyOf(system);
  const companyId = asId<CompanyId>(await story.companyId());
  const applicantId = demoUserId('owner');
  const type = await aLicenseType(db, { validityMonths: 12 });
  const ending = (endsInDays: number) => anEndingLicense(db, { companyId, applicantId, type, endsInDays });
  const process = (id: LicenseId) => client.workflow.getHandle(licenseFollowingId(id));
  const follow = (id: LicenseId) =>
    client.workflow.start('licenseFollowing', {
      workflowId: licenseFollowingId(id),
      taskQueue,
      args: [{ licenseId: id }],
    });
  const goToEnd = async (id: LicenseId, days: number) => {
    const there = travel(client, licenseFollowingId(id), days * DAY).catch(() => undefined);
    await Promise.race([there, process(id).result()]);
    await process(id).result();
  };

  const reminded = async () => {
    const { id } = await ending(90.2);
    await follow(id);
    await goToEnd(id, 91);
    return { 'licenseFollowing-reminded-and-expired': licenseFollowingId(id) };
  };
  const revoked = async () => {
    const { id } = await ending(61);
    await follow(id);
    await travel(client, licenseFollowingId(id), 2 * DAY);
    await db('licenses').where({ id }).update({ status: 'revoked' });
    await process(id).signal(licenseChangedSignal);
    await process(id).result();
    return { 'licenseFollowing-revoked': licenseFollowingId(id) };
  };
  const renewed = async () => {
    const old = await ending(20);
    await follow(old.id);
    const answer = await story.expect(201, story.call('POST', `licenses/${old.id}/renew`, { as: 'owner' }));
    const applicationId = asId<ApplicationId>(idShape.parse(answer.body).id);
    await story.sandbox((await story.openPayment(applicationId)).reference, 'pay');
    await story.reaches(applicationId, 'active');
    await eventually('the renewal to be over', async () => {
      const { status } = await client.workflow.getHandle(activationId(applicationId)).describe();
      return status.name === 'COMPLETED';
    });
    await goToEnd(old.id, 21);
    return {
      'licenseReview-renewal-unchanged': licenseReviewId(applicationId),
      'activation-renewal': activationId(applicationId),
      'licenseFollowing-superseded': licenseFollowingId(old.id),
    };
  };
  const toBePaid = async () => {
    const old = await ending(25);
    await follow(old.id);
    const answer = await story.expect(201, story.call('POST', `licenses/${old.id}/renew`, { as: 'owner' }));
    const applicationId = asId<ApplicationId>(idShape.parse(answer.body).id);
    await story.reaches(applicationId, 'pending_payment');
    await story.openPayment(applicationId);
    return { old, applicationId };
  };
  const givenUp = async () => {
    const { applicationId } = await toBePaid();
    const body = { reason: 'tidak jadi' };
    await story.expect(
      200,
      story.call('POST', `licenses/applications/${applicationId}/withdraw`, { as: 'owner', body }),
    );
    await client.workflow.getHandle(activationId(applicationId)).result();
    return { 'activation-renewal-withdrawn': activationId(applicationId) };
  };
  const revokedWithRenewal = async () => {
    const { old, applicationId } = await toBePaid();
    const body = { reason: 'dokumen palsu' };
    await story.expect(200, story.call('POST', `licenses/${old.id}/revoke`, { as: 'head', body }));
    await client.workflow.getHandle(activationId(applicationId)).result();
    await process(old.id).result();
    return {
      'activation-renewal-cancelled': activationId(applicationId),
      'licenseFollowing-revoked-with-renewal': licenseFollowingId(old.id),
    };
  };
  const [one, two, three] = await Promise.all([reminded(), revoked(), renewed()]);
  const [four, five] = await Promise.all([givenUp(), revokedWithRenewal()]);

  await Promise.all([ending(300), ending(301)]);
  const workflowId = `license-adoption-${randomUUID()}`;
  await client.workflow.execute('licenseAdoption', { workflowId, taskQueue, args: [{ page: 1 }] });
  return { ...one, ...two, ...three, ...four, ...five, 'licenseAdoption-two-pages': workflowId };
}
