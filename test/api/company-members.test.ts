import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { z } from 'zod';
import { joinCompany } from '../../api/company-members.ts';
import { createApplicationChanges } from '../../api/waiting.ts';
import { letterFacts } from '../../db/letters.ts';
import { createLink } from '../../db/link-tokens.ts';
import { Failure } from '../../domain/failures.ts';
import type { CompanyId } from '../../domain/ids.ts';
import {
  aCompany,
  aLicense,
  aLicenseType,
  anApplication,
  anInvoice,
  aPayment,
  type LicenseTypeRow,
} from '../builders/licensing.ts';
import { startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/wait.ts';

const memberList = z.object({
  items: z.array(z.object({ userId: z.string(), name: z.string(), email: z.string() })),
  invitations: z.array(z.object({ id: z.string(), email: z.string() })),
});
const ORIGIN = { address: '203.0.113.9', requestId: 'request-1' };

describe('several people for one company', () => {
  let database: TestDatabase;
  let api: TestApi;
  let type: LicenseTypeRow;
  let owner: TestPerson;
  let companyId: CompanyId;
  let waits = 0;

  before(async function () {
    this.timeout(120_000);
    database = await createTestDatabase();
    const changes = createApplicationChanges(database.url, pino({ level: 'silent' }));
    const waitForChange: typeof changes.waitForChange = (...asked) => {
      waits += 1;
      return changes.waitForChange(...asked);
    };
    api = await startApi(database, { changes: { ...changes, waitForChange } });
    type = await aLicenseType(database.db);
  });
  beforeEach(async () => {
    owner = await api.person('owner');
    companyId = await aCompany(database.db, owner.id, { name: 'CV Sumber Rejeki' });
  });
  after(async () => {
    await api.close();
    await database.drop();
  });

  const path = (rest = '') => `/users/companies/${companyId}${rest}`;
  const invite = (email: string, as = owner) => api.call(path('/invitations'), { as, body: { email } });
  const remove = (userId: string, as = owner) => api.call(path(`/members/${userId}`), { method: 'DELETE', as });
  const list = async (as = owner) => memberList.parse((await api.call(path('/members'), { as })).body);
  const invitationOf = async (email: string) => {
    const { status, body } = await invite(email);
    assert.equal(status, 201, JSON.stringify(body));
    return String(body.id);
  };
  /** As the letter would carry it. */
  const linkFor = async (subjectId: string) => {
    const link = { id: randomUUID(), purpose: 'join_company', userId: null, subjectId, createdAt: new Date() } as const;
    return (await createLink(database.db, api.deps.secretKey, link)).token;
  };
  const joinAs = (person: TestPerson, token: string) =>
    api.call('/users/companies/join', { as: person, body: { token } });
  const joined = async () => {
    const person = await api.person('owner');
    assert.equal((await joinAs(person, await linkFor(await invitationOf(person.email)))).status, 200);
    return person;
  };
  const events = (type: string) =>
    database.db('events').where({ company_id: companyId, type }).select('actor_id', 'subject', 'data', 'address');
  const refusedWith = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;

  it('is shown to those who act for it, and to nobody else', async () => {
    const { status, body, headers } = await api.call(path(), { as: owner });
    assert.deepEqual([status, body.name], [200, 'CV Sumber Rejeki']);
    assert.equal(
      (
        await fetch(`${api.url}/api/v1${path()}`, {
          headers: { ...owner.headers, 'if-none-match': headers.get('etag') ?? '' },
        })
      ).status,
      304,
    );
    const stranger = await api.person('owner');
    for (const rest of ['', '/members']) assert.equal((await api.call(path(rest), { as: stranger })).status, 404, rest);
    assert.equal((await invite('x@example.id', stranger)).status, 404);
    assert.equal((await remove(owner.id, stranger)).status, 404);
  });

  describe('an invitation', () => {
    it('goes to a sealed address, is listed masked, and is told once', async () => {
      const { status, body } = await invite('Budi@Warung.id');
      assert.deepEqual([status, body.email, body.invitedBy], [201, 'b•••@warung.id', owner.id]);
      const held = Date.parse(String(body.expiresAt)) - Date.parse(String(body.createdAt));
      assert.equal(held, 7 * 86_400_000);
      const { items, invitations } = await list();
      assert.deepEqual(
        items.map(({ userId }) => userId),
        [owner.id],
      );
      assert.deepEqual(invitations, [{ id: String(body.id), email: 'b•••@warung.id' }]);
      const row = await database.db('company_invitations').where({ id: body.id }).first();
      const letters = await database.db('account_letters').whereRaw(`data->>'invitationId' = ?`, [String(body.id)]);
      const told = await events('company.member_invited');
      assert.deepEqual(
        told.map(({ actor_id, subject }) => [actor_id, subject]),
        [[owner.id, `invitation/${body.id}`]],
      );
      assert.deepEqual(
        letters.map(({ template, user_id, data }) => [template, user_id, data.inviterName, data.companyName]),
        [['join_company', null, owner.name, 'CV Sumber Rejeki']],
      );
      const open = (sealed: Buffer, column: string) => api.deps.personalData.open(sealed, column);
      assert.equal(open(row.email_encrypted, 'company_invitations.email'), 'budi@warung.id');
      assert.equal(open(letters[0].address_encrypted, 'account_letters.address'), 'budi@warung.id');
      assert.ok(!JSON.stringify([row, letters, told]).includes('budi'), 'in clear it is nowhere');
    });

    it('does not tell whether the address has an account', async () => {
      const known = await invite((await api.person('owner')).email);
      const office = await invite((await api.person('verifier')).email);
      const nobody = await invite(`${randomUUID()}@example.test`);
      const shape = ({ status, body }: typeof known) => [
        status,
        Object.keys(body),
        String(body.email).replace(/^./, 'x'),
      ];
      assert.deepEqual(shape(known), shape(nobody));
      assert.deepEqual(shape(office), shape(nobody));
    });

    it('is refused for a member, and while one is open; not after that one is over', async () => {
      for (const email of [owner.email, owner.email.toUpperCase()])
        assert.deepEqual((({ status, body }) => [status, body.code])(await invite(email)), [409, 'already_member']);
      const id = await invitationOf('a@warung.id');
      assert.equal((await invite('A@warung.id')).body.code, 'already_member');
      const long = new Date(Date.now() - 8 * 86_400_000);
      await database.db('company_invitations').where({ id }).update({ created_at: long, expires_at: new Date() });
      assert.deepEqual((await list()).invitations, []);
      await invitationOf('a@warung.id');
    });

    it('of one address by ten at once is one', async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => invite('many@warung.id')));
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, ...Array.from({ length: 9 }, () => 409)]);
      assert.equal((await events('company.member_invited')).length, 1);
    });

    it('can be taken back, and then counts for nothing', async () => {
      const guest = await api.person('owner');
      const id = await invitationOf(guest.email);
      const token = await linkFor(id);
      const takeBack = () => api.call(path(`/invitations/${id}`), { method: 'DELETE', as: owner });
      assert.equal((await takeBack()).status, 204);
      assert.equal((await takeBack()).status, 404);
      assert.deepEqual((({ status, body }) => [status, body.code])(await joinAs(guest, token)), [
        422,
        'link_not_valid',
      ]);
      assert.equal((await events('company.invitation_revoked')).length, 1);
      await invitationOf(guest.email);
    });
  });

  describe('joining', () => {
    it('makes the invited person a member, once', async () => {
      const guest = await api.person('owner');
      const id = await invitationOf(guest.email);
      const token = await linkFor(id);
      const { status, body } = await joinAs(guest, token);
      assert.deepEqual([status, body], [200, { companyId, companyName: 'CV Sumber Rejeki' }]);
      assert.equal((await joinAs(guest, token)).body.code, 'link_not_valid');
      assert.deepEqual(
        (await list(guest)).items.map(({ userId }) => userId),
        [owner.id, guest.id],
      );
      const [told] = await events('company.member_joined');
      assert.deepEqual([told.actor_id, told.data.invitedBy], [guest.id, owner.id]);
    });

    it('by two requests at once happens once', async () => {
      const guest = await api.person('owner');
      const token = await linkFor(await invitationOf(guest.email));
      const answers = await Promise.all([joinAs(guest, token), joinAs(guest, token)]);
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 422]);
      assert.equal((await events('company.member_joined')).length, 1);
    });

    it('is for the invited address only, and the link stays good for whom it was meant', async () => {
      const [guest, thief] = [await api.person('owner'), await api.person('owner')];
      const token = await linkFor(await invitationOf(guest.email));
      assert.deepEqual((({ status, body }) => [status, body.code])(await joinAs(thief, token)), [
        422,
        'link_not_valid',
      ]);
      assert.equal((await joinAs(guest, token)).status, 200);
    });

    it('needs a verified address: anybody may open an account in somebody’s name', async () => {
      const guest = await api.person('owner');
      const token = await linkFor(await invitationOf(guest.email));
      await database.db('users').where({ id: guest.id }).update({ email_verified_at: null });
      assert.deepEqual((({ status, body }) => [status, body.code])(await joinAs(guest, token)), [
        403,
        'email_not_verified',
      ]);
      await assert.rejects(joinCompany(api.deps, { token }, ORIGIN), refusedWith('email_not_verified'));
      await database.db('users').where({ id: guest.id }).update({ email_verified_at: new Date() });
      assert.equal((await joinAs(guest, token)).status, 200);
    });

    it('by the link alone works for the account of that address, and says so when there is none', async () => {
      const guest = await api.person('integrator');
      const token = await linkFor(await invitationOf(guest.email));
      assert.deepEqual(await joinCompany(api.deps, { token }, ORIGIN), { companyId, companyName: 'CV Sumber Rejeki' });
      const [told] = await events('company.member_joined');
      assert.deepEqual([told.actor_id, told.address], [guest.id, ORIGIN.address]);
      const nobody = await linkFor(await invitationOf('nobody@warung.id'));
      await assert.rejects(joinCompany(api.deps, { token: nobody }, ORIGIN), refusedWith('unauthenticated'));
      await assert.rejects(joinCompany(api.deps, { token: 'nonsense' }, ORIGIN), refusedWith('link_not_valid'));
    });

    it('is not for people of the office', async () => {
      for (const roles of [['verifier'], ['owner', 'approver']] as const) {
        const staff = await api.person(...roles);
        const token = await linkFor(await invitationOf(staff.email));
        await assert.rejects(joinCompany(api.deps, { token }, ORIGIN), refusedWith('forbidden'));
        assert.equal((await joinAs(staff, token)).body.code, 'forbidden');
      }
    });

    it('ends after 7 days', async () => {
      const guest = await api.person('owner');
      const id = await invitationOf(guest.email);
      const token = await linkFor(id);
      await database.db('company_invitations').where({ id }).update({ expires_at: new Date() });
      assert.equal((await joinAs(guest, token)).body.code, 'link_not_valid');
    });
  });

  it('gives who joined later the same say in a case as the applicant', async () => {
    const id = await anApplication(database.db, { companyId, type, applicantId: owner.id });
    const guest = await joined();
    const put = await api.call(`/licenses/applications/${id}`, {
      method: 'PUT',
      as: guest,
      body: { form: { shopName: 'Baru' } },
    });
    assert.equal(put.status, 200);
    const withdrawn = await api.call(`/licenses/applications/${id}/withdraw`, { as: guest, body: { reason: 'tutup' } });
    assert.deepEqual([withdrawn.status, withdrawn.body.state], [200, 'withdrawn']);
  });

  describe('a member who is taken out', () => {
    it('sees nothing of the company from then on', async () => {
      const guest = await joined();
      const applicationId = await anApplication(database.db, {
        companyId,
        type,
        applicantId: guest.id,
        state: 'active',
      });
      const license = await aLicense(database.db, { applicationId, companyId, type });
      const invoiceId = await anInvoice(database.db, { companyId, applicationId });
      const payment = await aPayment(database.db, { invoiceId });
      const sha256 = (await api.deps.files.put(Buffer.from('%PDF-1.4 test'))).sha256;
      const documentId = randomUUID();
      await database.db('documents').insert({
        id: documentId,
        application_id: applicationId,
        kind: 'ktp',
        filename: 'ktp.pdf',
        sha256,
        bytes: 13,
        content_type: 'application/pdf',
        uploaded_by: guest.id,
        uploaded_at: new Date(),
      });
      await database.db('licenses').where({ id: license.id }).update({ certificate_sha256: sha256 });
      await database.db('invoices').where({ id: invoiceId }).update({ pdf_sha256: sha256 });
      const reads = [
        path(),
        path('/members'),
        `/licenses/applications/${applicationId}`,
        `/licenses/applications/${applicationId}/timeline`,
        `/licenses/applications/${applicationId}/deadline`,
        `/licenses/status/${applicationId}`,
        `/documents/${documentId}`,
        `/licenses/${license.id}`,
        `/licenses/${license.id}/certificate`,
        `/invoices/${invoiceId}`,
        `/invoices/${invoiceId}/pdf`,
        `/payments/${payment.id}`,
      ];
      const statuses = () =>
        Promise.all(
          reads.map(async (read) => (await fetch(`${api.url}/api/v1${read}`, { headers: guest.headers })).status),
        );
      assert.deepEqual(
        await statuses(),
        reads.map(() => 200),
      );
      assert.equal((await remove(guest.id)).status, 204);
      assert.deepEqual(
        await statuses(),
        reads.map(() => 404),
      );
      for (const lists of ['/users/companies', '/licenses/applications', '/users/licenses', '/invoices', '/payments'])
        assert.deepEqual((await api.call(lists, { as: guest })).body.items, [], lists);
      const [told] = await events('company.member_removed');
      assert.deepEqual([told.actor_id, told.subject, told.data], [owner.id, `user/${guest.id}`, { left: false }]);
    });

    for (const [what, seconds, change] of [
      ['learns of no change', 20, true],
      ['is not told at the end either what was true before', 1, false],
    ] as const) {
      it(`while waiting ${what}`, async () => {
        const guest = await joined();
        const id = await anApplication(database.db, { companyId, type, applicantId: owner.id });
        const before = waits;
        const waiting = api.call(`/licenses/status/${id}?wait=${seconds}`, { as: guest });
        await eventually('the question to be held', async () => waits > before);
        assert.equal((await remove(guest.id)).status, 204);
        if (change)
          await database.db('applications').where({ id }).update({ state: 'withdrawn', closed_at: new Date() });
        assert.equal((await waiting).status, 404);
      });
    }

    it('gets no more letters about a case, even as its applicant', async () => {
      const guest = await joined();
      const id = await anApplication(database.db, { companyId, type, applicantId: guest.id });
      assert.equal((await letterFacts(database.db, guest.id, id)).email, guest.email);
      await remove(guest.id);
      assert.equal((await letterFacts(database.db, guest.id, id)).email, owner.email);
    });

    it('takes the invitations along that they had sent', async () => {
      const guest = await joined();
      const { body } = await invite('friend@warung.id', guest);
      await remove(guest.id);
      assert.deepEqual((await list()).invitations, []);
      const told = await events('company.invitation_revoked');
      assert.deepEqual(
        told.map(({ subject }) => subject),
        [`invitation/${body.id}`],
      );
    });
  });

  describe('leaving', () => {
    it('is open to everybody but the last', async () => {
      const guest = await joined();
      assert.equal((await remove(owner.id)).status, 204);
      assert.equal((await remove(owner.id, guest)).status, 404);
      const { status, body } = await remove(guest.id, guest);
      assert.deepEqual([status, body.code], [409, 'last_member']);
      assert.equal((await remove(randomUUID(), guest)).status, 404);
    });

    it('by both of two at once leaves one behind, ten times in ten', async () => {
      for (let round = 0; round < 10; round += 1) {
        companyId = await aCompany(database.db, owner.id);
        const guest = await joined();
        const answers = await Promise.all([remove(owner.id, owner), remove(guest.id, guest)]);
        assert.deepEqual(answers.map(({ status }) => status).toSorted(), [204, 409]);
        assert.equal((await database.db('company_members').where({ company_id: companyId })).length, 1);
      }
    });

    it('is refused while only the account of a programme would stay', async () => {
      const programme = await api.person('integrator');
      await database.db('company_members').insert({ company_id: companyId, user_id: programme.id });
      assert.equal((await remove(owner.id)).body.code, 'last_member');
      assert.equal((await remove(programme.id)).status, 204);
    });
  });
});
