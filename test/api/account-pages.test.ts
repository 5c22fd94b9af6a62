import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { passwordMatches } from '../../api/passwords.ts';
import { writeLetter } from '../../db/account-letters.ts';
import { createLink } from '../../db/link-tokens.ts';
import { asId, type UserId } from '../../domain/ids.ts';
import { LINK_PAGES, type LinkPurpose } from '../../domain/mail.ts';
import { aCompany } from '../builders/licensing.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const PASSWORD = 'Kopi-Tubruk-2026';
const PURPOSES = ['verify_email', 'reset_password', 'unlock_account', 'join_staff', 'join_company'] as const;

describe('the pages that letters about accounts lead to', () => {
  let database: TestDatabase;
  let api: TestApi;

  before(async () => {
    database = await createTestDatabase();
    api = await startApi(database);
  });
  after(async () => {
    await api?.close();
    await database?.drop();
  });

  const inLanguage = (language: string) => ({ accept: 'text/html', 'accept-language': language });
  const pageOf = async (answer: Response): Promise<Page> => ({
    status: answer.status,
    headers: answer.headers,
    text: await answer.text(),
  });
  const visit = async (purpose: LinkPurpose, token: string, language = 'en', method = 'GET'): Promise<Page> =>
    pageOf(
      await fetch(`${api.url}${LINK_PAGES[purpose]}?token=${token}&utm_source=mail`, {
        method,
        headers: inLanguage(language),
      }),
    );
  /** As a browser sends the form of the page. */
  const press = async (purpose: LinkPurpose, fields: Record<string, string>, language = 'en'): Promise<Page> =>
    pageOf(
      await fetch(`${api.url}${LINK_PAGES[purpose]}`, {
        method: 'POST',
        headers: inLanguage(language),
        body: new URLSearchParams(fields),
      }),
    );

  async function person(changes: Record<string, unknown> = {}) {
    const id = asId<UserId>(randomUUID());
    const email = `${id}@example.test`;
    const row = { id, email, name: 'Sari Wulandari', roles: ['owner'], password_hash: 'none', ...changes };
    await database.db('users').insert(row);
    return { id, email };
  }
  const linkFor = async (purpose: LinkPurpose, userId: UserId, createdAt = new Date()): Promise<string> => {
    const link = { id: randomUUID(), purpose, userId, subjectId: null, createdAt };
    return (await createLink(database.db, api.deps.secretKey, link)).token;
  };
  const user = async (id: UserId): Promise<Record<string, unknown>> =>
    (await database.db('users').where({ id }).first()) ?? {};
  const isGood = async (purpose: LinkPurpose, token: string): Promise<boolean> =>
    (await visit(purpose, token)).status === 200;

  /** An invitation to a company, by letter to this address. */
  async function invited(email: string) {
    const inviter = await person({ name: 'Budi Santoso', email_verified_at: new Date() });
    const companyId = await aCompany(database.db, inviter.id, { name: 'CV <Milik> Budi' });
    const [subjectId, id] = [randomUUID(), randomUUID()];
    const { personalData, secretKey } = api.deps;
    await database.db('company_invitations').insert({
      id: subjectId,
      company_id: companyId,
      email_hash: personalData.fingerprint(email, 'company_invitations.email'),
      email_encrypted: personalData.seal(email, 'company_invitations.email'),
      email_masked: 's•••@example.test',
      invited_by: inviter.id,
      created_at: new Date(),
      expires_at: new Date(Date.now() + 86_400_000),
    });
    const at = new Date();
    await writeLetter(database.db, {
      id,
      template: 'join_company',
      addressEncrypted: personalData.seal(email, 'account_letters.address'),
      data: { inviterName: 'Budi Santoso', companyName: 'CV <Milik> Budi', invitationId: subjectId },
      at,
    });
    const link = { id, purpose: 'join_company', userId: null, subjectId, createdAt: at } as const;
    return { companyId, token: (await createLink(database.db, secretKey, link)).token };
  }

  for (const purpose of PURPOSES) {
    it(`${LINK_PAGES[purpose]} shows a button and changes nothing, however often it is opened`, async () => {
      const { id, email } = await person();
      const token = purpose === 'join_company' ? (await invited(email)).token : await linkFor(purpose, id);
      const before = await user(id);
      for (const method of ['GET', 'HEAD', 'GET'])
        assert.equal((await visit(purpose, token, 'en', method)).status, 200);
      const { text, headers } = await visit(purpose, token);
      assert.match(text, new RegExp(`<form method="post" action="${LINK_PAGES[purpose]}">`));
      assert.match(text, new RegExp(`<input type="hidden" name="token" value="${token}">`));
      assert.doesNotMatch(text, /<script|src=/);
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'none';.* form-action 'self';/);
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.deepEqual(await user(id), before);
    });

    it(`${LINK_PAGES[purpose]} says in both languages that a link is not valid, before and after the button`, async () => {
      const { id } = await person();
      const old = await linkFor(purpose, id, new Date(Date.now() - 8 * 86_400_000));
      for (const token of [old, 'x'.repeat(43), '']) {
        const shown = await visit(purpose, token, 'id');
        assert.equal(shown.status, 404);
        assert.match(shown.text, /TAUTAN TIDAK BERLAKU/);
        assert.doesNotMatch(shown.text, /<form/);
        const fields = { reset_password: { password: PASSWORD }, join_staff: { name: 'Sari', password: PASSWORD } };
        const more = purpose === 'reset_password' || purpose === 'join_staff' ? fields[purpose] : {};
        const pressed = await press(purpose, { token, ...more });
        assert.equal(pressed.status, 422);
        assert.match(pressed.text, /LINK NOT VALID/);
      }
    });
  }

  it('confirm an address, once', async () => {
    const { id } = await person();
    const token = await linkFor('verify_email', id);
    const done = await press('verify_email', { token }, 'id');
    assert.equal(done.status, 200);
    assert.match(done.text, /TERKONFIRMASI/);
    assert.ok((await user(id))['email_verified_at']);
    assert.equal((await press('verify_email', { token })).status, 422);
  });

  it('say what a new password lacks, in words, and leave the link good', async () => {
    const { id, email } = await person();
    const token = await linkFor('reset_password', id);
    const weak = await press('reset_password', { token, password: 'kopi' }, 'id');
    assert.equal(weak.status, 422);
    assert.match(weak.text, /<li>sedikitnya 10 karakter, atau 16 tanpa syarat lain<\/li>/);
    assert.match(weak.text, /<li>tambahkan angka<\/li>/);
    assert.ok(weak.text.includes(email));
    assert.ok(!weak.text.includes('kopi'), 'a password never comes back');
    const english = await press('reset_password', { token, password: 'kopi' });
    assert.match(english.text, /<li>add a digit<\/li>/);
    assert.equal((await user(id))['password_hash'], 'none');

    const done = await press('reset_password', { token, password: PASSWORD });
    assert.equal(done.status, 200);
    assert.match(done.text, /PASSWORD CHANGED/);
    assert.ok(await passwordMatches(String((await user(id))['password_hash']), PASSWORD));
    assert.equal(await isGood('reset_password', token), false);
  });

  it('unlock an account', async () => {
    const { id, email } = await person();
    const account_hash = api.deps.personalData.fingerprint(email, 'login_locks.account');
    const locked = { account_hash, origin: 'unknown', failures: 5, strikes: 1, last_failure_at: new Date() };
    await database.db('login_locks').insert({ ...locked, locked_until: new Date(Date.now() + 900_000) });
    const token = await linkFor('unlock_account', id);
    const done = await press('unlock_account', { token });
    assert.equal(done.status, 200);
    assert.match(done.text, /UNLOCKED/);
    const left = await database.db('login_locks').where({ account_hash }).where('locked_until', '>', new Date());
    assert.deepEqual(left, []);
  });

  it('set up an invited account with the name as it was mended, and its password', async () => {
    const { id } = await person({ name: 'Dewi "D" <Lestari>', password_hash: null, roles: ['verifier'] });
    const token = await linkFor('join_staff', id);
    assert.match(
      (await visit('join_staff', token)).text,
      /name="name"[^>]* value="Dewi &quot;D&quot; &lt;Lestari&gt;"/,
    );
    const weak = await press('join_staff', { token, name: 'Dewi & Co', password: 'kopi' });
    assert.equal(weak.status, 422);
    assert.match(weak.text, /value="Dewi &amp; Co"/);
    const done = await press('join_staff', { token, name: 'Dewi Lestari', password: PASSWORD });
    assert.equal(done.status, 200);
    assert.match(done.text, /ACCOUNT READY/);
    const joined = await user(id);
    assert.equal(joined['name'], 'Dewi Lestari');
    assert.ok(await passwordMatches(String(joined['password_hash']), PASSWORD));
  });

  it('take an invitation to a company up only with an account of that address, confirmed', async () => {
    const email = `${randomUUID()}@example.test`;
    const { companyId, token } = await invited(email);
    const shown = await visit('join_company', token);
    assert.match(shown.text, /<dd>CV &lt;Milik&gt; Budi<\/dd>/);
    assert.match(shown.text, /<dd>Budi Santoso<\/dd>/);
    const nobody = await press('join_company', { token });
    assert.equal(nobody.status, 409);
    assert.match(nobody.text, /No account has this e-mail address yet\. Register with it/);

    const { id } = await person({ email });
    const unverified = await press('join_company', { token }, 'id');
    assert.equal(unverified.status, 409);
    assert.match(unverified.text, /Konfirmasi dahulu alamat surel/);

    await database.db('users').where({ id }).update({ email_verified_at: new Date() });
    const done = await press('join_company', { token });
    assert.equal(done.status, 200);
    assert.match(done.text, /INVITATION ACCEPTED/);
    const member = { company_id: companyId, user_id: id };
    assert.equal((await database.db('company_members').where(member)).length, 1);
    assert.equal((await press('join_company', { token })).status, 422);
  });

  it('do not let people of the office act for a company', async () => {
    const staff = await person({ roles: ['verifier'], email_verified_at: new Date() });
    const { token } = await invited(staff.email);
    const refused = await press('join_company', { token });
    assert.equal(refused.status, 409);
    assert.match(refused.text, /cannot act for a business/);
  });

  it('take what a form sends, and nothing else', async () => {
    const { id } = await person();
    const token = await linkFor('verify_email', id);
    const post = async (contentType: string, body: string): Promise<unknown> => {
      const answer = await fetch(`${api.url}${LINK_PAGES.verify_email}`, {
        method: 'POST',
        headers: { 'content-type': contentType, 'accept-language': 'en' },
        body,
      });
      const { code }: { code?: string } = JSON.parse(await answer.text());
      return [answer.status, code];
    };
    const form = 'application/x-www-form-urlencoded';
    assert.deepEqual(await post('application/json', JSON.stringify({ token })), [415, 'unsupported_media_type']);
    assert.deepEqual(await post(form, `token=${token}&token=${token}`), [400, 'malformed_request']);
    assert.deepEqual(await post(form, `token=${token}&role=admin`), [422, 'invalid_request']);
    assert.deepEqual(await post(form, ''), [422, 'invalid_request']);
    assert.deepEqual(await post(form, `token=${'x'.repeat(300_000)}`), [413, 'file_too_large']);
    assert.ok(await isGood('verify_email', token));
  });

  it('leave no token and no address in the log', async () => {
    const { id, email } = await person();
    const token = await linkFor('verify_email', id);
    const from = api.log.length;
    await visit('verify_email', token);
    await press('verify_email', { token });
    await press('verify_email', { token });
    const lines = api.log.slice(from).join('');
    assert.match(lines, /"pattern":"\/account\/verify-email"/);
    for (const secret of [token, email]) assert.ok(!lines.includes(secret), lines);
  });
});
