import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  acceptInvitation,
  actsForCase,
  addInvitation,
  addMember,
  closeExpired,
  isInvited,
  lockOpenInvitation,
  managersOf,
  membersOf,
  openInvitations,
  removeMember,
  revokeInvitation,
  revokeInvitationsBy,
} from '../../db/company-members.ts';
import { letterFacts } from '../../db/letters.ts';
import { asId, type CompanyId, type InvitationId, type UserId } from '../../domain/ids.ts';
import { aCompany, aLicenseType, anApplication, aUser } from '../builders/licensing.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const AT = new Date('2026-03-02T02:00:00Z');
const later = (days: number) => new Date(AT.getTime() + days * 86_400_000);

describe('members of a company in the database', () => {
  let database: TestDatabase;
  let owner: UserId;
  let companyId: CompanyId;
  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
  });
  after(() => database.drop());
  beforeEach(async () => {
    owner = await aUser(database.db, 'owner');
    companyId = await aCompany(database.db, owner);
  });

  const invitation = (over: { emailHash?: string; invitedBy?: UserId } = {}) => ({
    id: asId<InvitationId>(randomUUID()),
    companyId,
    emailHash: randomUUID(),
    emailEncrypted: Buffer.from('sealed'),
    emailMasked: 'b•••@warung.id',
    invitedBy: owner,
    createdAt: AT,
    expiresAt: later(7),
    ...over,
  });

  it('are added once, listed in the order they came, and removed once', async () => {
    const guest = await aUser(database.db, 'owner');
    assert.equal(await addMember(database.db, companyId, guest, later(400)), true);
    assert.equal(await addMember(database.db, companyId, guest, AT), false);
    assert.deepEqual(
      (await membersOf(database.db, companyId)).map(({ userId }) => userId),
      [owner, guest],
    );
    assert.equal(await removeMember(database.db, companyId, guest), true);
    assert.equal(await removeMember(database.db, companyId, guest), false);
  });

  it('manage it when they are people with an open account', async () => {
    const [programme, gone] = [await aUser(database.db, 'integrator'), await aUser(database.db, 'owner')];
    await database.db('users').where({ id: gone }).update({ status: 'disabled' });
    for (const id of [programme, gone]) await addMember(database.db, companyId, id, AT);
    assert.deepEqual(await managersOf(database.db, companyId), [owner]);
  });

  it('act for its cases, and others do not', async () => {
    const type = await aLicenseType(database.db);
    const [id, stranger] = [
      await anApplication(database.db, { companyId, type, applicantId: owner }),
      await aUser(database.db, 'owner'),
    ];
    assert.equal(await actsForCase(database.db, owner, id), true);
    assert.equal(await actsForCase(database.db, stranger, id), false);
  });

  it('read its letters: the member of longest standing with an open account, once the applicant has left', async () => {
    const type = await aLicenseType(database.db);
    const [applicant, gone, next] = [
      await aUser(database.db, 'owner'),
      await aUser(database.db, 'owner'),
      await aUser(database.db, 'owner'),
    ];
    await removeMember(database.db, companyId, owner);
    await addMember(database.db, companyId, applicant, AT);
    await addMember(database.db, companyId, gone, later(1));
    await addMember(database.db, companyId, next, later(2));
    await database.db('users').where({ id: gone }).update({ status: 'disabled' });
    const id = await anApplication(database.db, { companyId, type, applicantId: applicant });
    const reviewer = await aUser(database.db, 'verifier');
    const reader = async (to: UserId) => (await letterFacts(database.db, to, id)).email.split('@')[0];
    assert.deepEqual([await reader(applicant), await reader(reviewer)], [applicant, reviewer]);
    await removeMember(database.db, companyId, applicant);
    assert.deepEqual([await reader(applicant), await reader(reviewer)], [next, reviewer]);
  });

  describe('an invitation', () => {
    it('is open once for an address, until it is accepted, revoked or over', async () => {
      const emailHash = randomUUID();
      for (const close of [
        (id: InvitationId) => acceptInvitation(database.db, id, owner, AT),
        (id: InvitationId) => revokeInvitation(database.db, companyId, id, AT),
        () => closeExpired(database.db, companyId, later(7)),
      ]) {
        const one = invitation({ emailHash });
        assert.equal(await addInvitation(database.db, one), true);
        assert.equal(await addInvitation(database.db, invitation({ emailHash })), false);
        assert.equal(await isInvited(database.db, companyId, ['other', emailHash]), true);
        await close(one.id);
        assert.equal(await isInvited(database.db, companyId, [emailHash]), false);
        assert.equal(await lockOpenInvitation(database.db, one.id, AT), null);
      }
    });

    it('ends by itself', async () => {
      const one = invitation();
      await addInvitation(database.db, one);
      assert.equal((await lockOpenInvitation(database.db, one.id, later(6.99)))?.id, one.id);
      assert.equal(await lockOpenInvitation(database.db, one.id, later(7)), null);
      assert.deepEqual(await openInvitations(database.db, companyId, later(7)), []);
    });

    it('is taken back by its own company only, and by whom it was sent', async () => {
      const [one, guest] = [invitation(), await aUser(database.db, 'owner')];
      const theirs = invitation({ invitedBy: guest });
      for (const open of [one, theirs]) await addInvitation(database.db, open);
      const other = await aCompany(database.db, guest);
      assert.equal(await revokeInvitation(database.db, other, one.id, AT), false);
      assert.deepEqual(await revokeInvitationsBy(database.db, other, guest, AT), []);
      assert.deepEqual(await revokeInvitationsBy(database.db, companyId, guest, AT), [theirs.id]);
      assert.deepEqual(
        (await openInvitations(database.db, companyId, AT)).map(({ id }) => id),
        [one.id],
      );
    });
  });
});
