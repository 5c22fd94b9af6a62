import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createPersonalData } from '../../db/personal-data.ts';
import { aCompany } from '../builders/licensing.ts';
import {
  doneUpTo,
  newCompany,
  type OnboardingBody,
  read,
  register,
  say,
  someNib,
  step,
  upload,
} from '../builders/onboarding.ts';
import { ask, problem } from '../builders/requests.ts';
import { someNik, someNpwp } from '../builders/sealed.ts';
import { noTemporal, startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { EICAR } from '../support/clamd.ts';
import { PERSONAL_DATA_KEY } from '../support/database.ts';
import { startSystem, type TestSystem } from '../support/system.ts';
import { together } from '../support/together.ts';
import { eventually } from '../support/wait.ts';

const digits = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);

/** All that a history carries, in clear. */
function payloadsIn(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  return typeof value === 'object' && value !== null ? Object.values(value).map(payloadsIn).join(' ') : '';
}

describe('onboarding', () => {
  let system: TestSystem;
  let api: TestApi;
  let owner: TestPerson;
  let verifier: TestPerson;

  before(async function () {
    this.timeout(90_000);
    system = await startSystem();
    api = system.api;
    [owner, verifier] = [await api.person('owner'), await api.person('verifier')];
  });
  after(() => system?.close());

  const statesOf = ({ steps }: OnboardingBody) => Object.fromEntries(steps.map(({ step, state }) => [step, state]));
  const becomes = (id: string, state: string, who = owner): Promise<OnboardingBody> =>
    eventually(`${id} to be ${state}`, async () => {
      const now = await read(api, who, id);
      return now.state === state ? now : null;
    });
  const eventsOf = (id: string, type: string) =>
    system.database
      .db('events')
      .where({ company_id: id, type: `onboarding.${type}` })
      .pluck<string[]>('key');
  const lettersOf = (id: string) =>
    system.database
      .db('account_letters')
      .whereRaw("data ->> 'companyId' = ?", [id])
      .orderBy('created_at')
      .select('template', 'data', 'user_id');
  const sandboxSays = async (registry: string, number: string, said: object) => {
    const { status } = await fetch(`${system.sandboxUrl}/_sandbox/registries/${registry}/${number}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(said),
    });
    assert.equal(status, 200);
  };

  together({
    'leads from the registration to an active company, and a letter that names its first licences': async () => {
      const id = await register(api, owner);
      const begun = await read(api, owner, id);
      assert.deepEqual([begun.state, begun.percent, begun.companyStatus], ['in_progress', 20, 'onboarding']);
      assert.deepEqual(statesOf(begun), {
        account_verified: 'completed',
        business_profile: 'pending',
        identity: 'pending',
        documents: 'pending',
        review: 'pending',
        completed: 'pending',
      });
      assert.deepEqual(begun.requiredDocuments, ['identity_card', 'npwp_card']);
      assert.ok(begun.expiresAt !== null && begun.review === null);

      const profiled = await step(api, owner, id, 'business_profile', { address: 'Jl. Asia Afrika 8, Bandung' });
      assert.deepEqual([profiled.status, profiled.body.percent], [200, 40]);
      const nib = someNib();
      const identified = await step(api, owner, id, 'identity', { nib });
      assert.deepEqual([identified.status, identified.body.percent], [200, 60]);
      const shown = identified.body.steps[2]?.metadata;
      assert.deepEqual(Object.keys(shown ?? {}).toSorted(), ['nib', 'npwp']);
      assert.ok(!JSON.stringify(identified.body).includes(nib), 'numbers are masked');
      const cards = [await upload(api, owner, id, 'identity_card'), await upload(api, owner, id, 'npwp_card')];
      assert.deepEqual(
        cards.map(({ status }) => status),
        [201, 201],
      );
      const documentIds = cards.map(({ body }) => body.id);
      assert.equal((await step(api, owner, id, 'documents', { documentIds })).status, 200);

      const done = await becomes(id, 'completed');
      assert.deepEqual([done.percent, done.companyStatus, done.expiresAt], [100, 'active', null]);
      assert.equal(statesOf(done)['review'], 'skipped');
      assert.ok(done.steps.every(({ state, completedAt }) => state === 'skipped' || completedAt !== null));
      assert.ok(done.suggestedLicenses.some(({ code }) => code === 'restaurant'));
      const company = await ask(api, owner, 'GET', `/users/companies/${id}`);
      assert.deepEqual(
        [company.body['status'], company.body['nib'], company.body['address']],
        ['active', nib, 'Jl. Asia Afrika 8, Bandung'],
      );
      const [letter, ...others] = await lettersOf(id);
      assert.deepEqual([letter.template, letter.user_id, others], ['onboarding_completed', owner.id, []]);
      assert.ok(letter.data.suggested.length > 0);
      assert.equal((await step(api, owner, id, 'identity')).body.code, 'onboarding_not_open');
    },

    'is read in one statement': async () => {
      const { db } = system.database;
      const id = await aCompany(db, owner.id);
      const statements: string[] = [];
      const note = ({ sql, bindings }: { sql: string; bindings?: readonly unknown[] }) => {
        if (bindings?.includes(id)) statements.push(sql);
      };
      db.on('query', note);
      await read(api, owner, id);
      db.off('query', note);
      assert.equal(statements.length, 1, statements.join('\n'));
    },

    'answers 304 to who has it already, and holds who waits until it changes': async () => {
      const id = await register(api, owner);
      const first = await ask(api, owner, 'GET', `/onboarding/${id}`);
      const etag = first.headers.get('etag') ?? '';
      const same = await ask(api, owner, 'GET', `/onboarding/${id}`, { headers: { 'if-none-match': etag } });
      assert.equal(same.status, 304);
      const waited = ask<OnboardingBody>(api, owner, 'GET', `/onboarding/${id}?wait=20`, {
        headers: { 'if-none-match': etag },
      });
      const begun = performance.now();
      await eventually('somebody to wait', async () => {
        const found = await system.database
          .db('pg_stat_activity')
          .where({ application_name: 'alur-waiting-companies' })
          .first('pid');
        return found !== undefined;
      });
      await step(api, owner, id, 'business_profile');
      assert.equal((await waited).status, 200);
      assert.ok(performance.now() - begun < 10_000);
      const short = await ask(api, owner, 'GET', `/onboarding/${id}?wait=1`);
      assert.equal(short.status, 200);
      assert.equal((await problem(api, owner, 'GET', `/onboarding/${id}?wait=31`)).status, 422);
    },

    'is for the people of the company and of the office; for others there is none': async () => {
      const id = await register(api, owner);
      const stranger = await api.person('owner');
      assert.equal((await problem(api, stranger, 'GET', `/onboarding/${id}`)).status, 404);
      assert.equal((await step(api, stranger, id, 'business_profile')).status, 404);
      assert.equal((await say(api, stranger, id, 'cancel')).status, 404);
      assert.equal((await upload(api, stranger, id, 'deed')).status, 404);
      assert.deepEqual((await read(api, verifier, id)).review, { reasons: [], numbers: [] });
      assert.equal((await step(api, verifier, id, 'business_profile')).status, 403);
      assert.equal((await problem(api, owner, 'GET', `/onboarding/${randomUUID()}`)).status, 404);
    },

    'of a company that was there before is completed, and takes no step': async () => {
      const id = await aCompany(system.database.db, owner.id);
      const found = await read(api, owner, id);
      assert.deepEqual([found.state, found.percent, found.steps.length], ['completed', 100, 6]);
      for (const answer of [await step(api, owner, id, 'business_profile'), await say(api, owner, id, 'cancel')])
        assert.deepEqual(
          [answer.status, answer.body.code, answer.body.state],
          [409, 'onboarding_not_open', 'completed'],
        );
    },

    'takes its steps in their order, and only those of the owner': async () => {
      const id = await register(api, owner);
      const early = await step(api, owner, id, 'identity');
      assert.deepEqual([early.status, early.body.code], [409, 'step_not_open']);
      assert.match(early.body.detail, /business_profile/);
      for (const name of ['review', 'completed'])
        assert.equal((await step(api, owner, id, name)).body.code, 'step_not_possible');
      assert.equal((await step(api, owner, id, 'no_such_step')).status, 404);
    },

    'wants the address verified, and says what to do': async () => {
      const newcomer = await api.person('owner');
      await system.database.db('users').where({ id: newcomer.id }).update({ email_verified_at: null });
      const id = await register(api, newcomer);
      assert.equal((await read(api, newcomer, id)).percent, 0);
      const refused = await step(api, newcomer, id, 'account_verified');
      assert.deepEqual([refused.status, refused.body.code], [409, 'address_not_verified']);
      assert.match(refused.body.detail, /verify-email\/resend/);
      assert.equal((await step(api, newcomer, id, 'account_verified', { code: 'wrong' })).body.code, 'link_not_valid');
      await system.database.db('users').where({ id: newcomer.id }).update({ email_verified_at: new Date() });
      const done = await step(api, newcomer, id, 'account_verified');
      assert.deepEqual([done.status, done.body.percent], [200, 20]);
    },

    'names the field that is wrong': async () => {
      const id = await register(api, owner, { kbli: [] });
      const pointers = async (name: string, body: object) => {
        const answer = await step(api, owner, id, name, body);
        return [answer.status, ...(answer.body.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`)];
      };
      assert.deepEqual(await pointers('business_profile', { kbli: ['5610'] }), [422, '/kbli/0 kbli_not_5_digits']);
      assert.deepEqual(await pointers('business_profile', {}), [422, '/kbli required']);
      assert.deepEqual(await pointers('business_profile', { name: '', shoe: 43 }), [
        422,
        '/name too_small',
        '/shoe unknown_field',
      ]);
      assert.deepEqual(await pointers('business_profile', { kbli: ['56101'] }), [200]);
      assert.deepEqual(await pointers('identity', { nib: '12', npwp: 'x' }), [
        422,
        '/nib nib_not_13_digits',
        '/npwp npwp_not_16_digits',
      ]);
      assert.deepEqual(await pointers('identity', { nik: someNik() }), [422, '/nik not_allowed']);
      assert.deepEqual(await pointers('identity', {}), [200]);
      const other = await upload(api, owner, await register(api, owner), 'identity_card');
      assert.equal(other.status, 201);
      assert.deepEqual(await pointers('documents', { documentIds: [other.body.id] }), [
        422,
        '/documentIds/0 unknown_document',
      ]);
      assert.deepEqual(await pointers('documents', { confirm: true }), [422, '/confirm document_missing']);
    },

    'keeps two from bringing in the same number, and tells the second how to be let in': async () => {
      const [nib, nik] = [someNib(), someNik()];
      const first = await register(api, owner, { legalForm: 'perorangan' });
      await doneUpTo(api, owner, first, 'business_profile');
      assert.equal((await step(api, owner, first, 'identity', { nib, nik })).status, 200);
      const other = await api.person('owner');
      for (const number of [{ nib }, { nik }]) {
        const second = await register(api, other, { legalForm: 'UD' });
        await doneUpTo(api, other, second, 'business_profile');
        const refused = await step(api, other, second, 'identity', number);
        assert.deepEqual([refused.status, refused.body.code], [409, 'company_onboarded']);
        assert.match(refused.body.detail, /invite you/);
        assert.ok(!JSON.stringify(refused.body).includes(first));
        assert.equal((await step(api, other, second, 'identity', {})).status, 200);
      }
    },

    'gives the NIK back once the business is not that of one person any more': async () => {
      const nik = someNik();
      const first = await register(api, owner, { legalForm: 'UD' });
      await doneUpTo(api, owner, first, 'business_profile');
      assert.equal((await step(api, owner, first, 'identity', { nik })).status, 200);
      assert.equal((await step(api, owner, first, 'business_profile', { legalForm: 'PT' })).status, 200);
      const asPt = await step(api, owner, first, 'identity', {});
      assert.deepEqual(Object.keys(asPt.body.steps[2]?.metadata ?? {}), ['npwp']);
      const second = await register(api, owner, { legalForm: 'UD' });
      await doneUpTo(api, owner, second, 'business_profile');
      assert.equal((await step(api, owner, second, 'identity', { nik })).status, 200);
    },

    'keeps an NPWP of somebody else from being taken over': async () => {
      const npwp = someNpwp();
      await register(api, owner, { npwp });
      const other = await api.person('owner');
      const id = await register(api, other);
      await doneUpTo(api, other, id, 'business_profile');
      assert.equal((await step(api, other, id, 'identity', { npwp })).body.code, 'company_onboarded');
      const own = someNpwp();
      assert.equal((await step(api, other, id, 'identity', { npwp: own })).status, 200);
      const row = await system.database.db('companies').where({ id }).first('npwp_encrypted', 'npwp_hash');
      const personalData = createPersonalData([PERSONAL_DATA_KEY]);
      assert.equal(personalData.open(row.npwp_encrypted, 'companies.npwp'), own);
      assert.equal(row.npwp_hash, personalData.fingerprint(own, 'companies.npwp'));
    },

    'gives a number to one of two who claim it at once': async () => {
      const nib = someNib();
      const people = await Promise.all([0, 1, 2].map(() => api.person('owner')));
      const claims = await Promise.all(
        people.map(async (person) => {
          const id = await register(api, person);
          await doneUpTo(api, person, id, 'business_profile');
          return { person, id };
        }),
      );
      const answers = await Promise.all(claims.map(({ person, id }) => step(api, person, id, 'identity', { nib })));
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 409, 409]);
    },

    'holds numbers nowhere but sealed': async () => {
      const [nib, npwp, nik] = [someNib(), someNpwp(), someNik()];
      const id = await register(api, owner, { legalForm: 'perorangan', npwp });
      await doneUpTo(api, owner, id, 'business_profile');
      await step(api, owner, id, 'identity', { nib, nik });
      await eventually('the registries to be asked', async () => {
        const open = await system.database.db('company_numbers').where({ company_id: id }).whereNull('registry_state');
        return open.length === 0;
      });
      const { db } = system.database;
      const { events } = await system.client.workflow.getHandle(`onboarding/${id}`).fetchHistory();
      const history = payloadsIn(events);
      assert.ok(history.includes('"step":"identity"'));
      const kept = JSON.stringify(
        [
          await db('events').where({ company_id: id }),
          await db('onboarding_steps').where({ company_id: id }),
          await db('company_numbers').where({ company_id: id }).select('fingerprint', 'masked'),
          history,
          api.log,
        ],
        digits,
      );
      for (const number of [nib, npwp, nik]) assert.ok(!kept.includes(number));
      assert.equal(
        await db('company_numbers')
          .where({ company_id: id, registry_state: 'match' })
          .then((rows) => rows.length),
        3,
      );
    },

    'asks again for what depends on a step that is done anew, and for nothing when it is the same': async () => {
      const id = await register(api, owner, { legalForm: 'koperasi' });
      await doneUpTo(api, owner, id, 'documents');
      await becomes(id, 'in_review');
      const same = await step(api, owner, id, 'business_profile', { name: 'Warung Sari' });
      assert.deepEqual([same.status, same.body.state], [200, 'in_review']);
      assert.equal((await eventsOf(id, 'step_completed')).length, 4);
      const again = await step(api, owner, id, 'business_profile', { name: 'Warung Sari Baru' });
      assert.deepEqual([again.body.state, again.body.percent], ['in_progress', 40]);
      assert.deepEqual(
        ['business_profile', 'identity', 'documents'].map((name) => statesOf(again.body)[name]),
        ['completed', 'asked_again', 'asked_again'],
      );
      assert.equal((await step(api, owner, id, 'documents', { confirm: true })).body.code, 'step_not_open');
      assert.equal((await step(api, owner, id, 'identity')).status, 200);
      assert.equal((await step(api, owner, id, 'documents', { confirm: true })).status, 200);
      await becomes(id, 'in_review');
    },

    'takes the same step from two devices at once as one': async () => {
      const id = await register(api, owner);
      const answers = await Promise.all([1, 2, 3, 4].map(() => step(api, owner, id, 'business_profile')));
      assert.deepEqual([...new Set(answers.map(({ status, body }) => `${status} ${body.percent}`))], ['200 40']);
      assert.equal((await eventsOf(id, 'step_completed')).filter((key) => key.includes('business_profile')).length, 1);
      const key = randomUUID();
      const first = await step(api, owner, id, 'identity', {}, key);
      for (let time = 0; time < 2; time += 1)
        assert.deepEqual((await step(api, owner, id, 'identity', {}, key)).body, first.body);
    },

    'takes a document off, and asks for the documents again': async () => {
      const id = await register(api, owner, { legalForm: 'yayasan' });
      await doneUpTo(api, owner, id, 'documents');
      await becomes(id, 'in_review');
      const there = await ask<{ items: { id: string; kind: string }[] }>(
        api,
        owner,
        'GET',
        `/onboarding/${id}/documents`,
      );
      const [card] = there.body.items;
      assert.equal(there.body.items.length, 3);
      const file = await ask(api, verifier, 'GET', `/onboarding/${id}/documents/${card?.id}`);
      assert.equal(file.status, 200);
      const seen = await system.database
        .db('events')
        .where({ company_id: id, type: 'document.downloaded' })
        .pluck('actor_id');
      assert.deepEqual(seen, [verifier.id]);
      assert.equal((await ask(api, owner, 'DELETE', `/onboarding/${id}/documents/${card?.id}`)).status, 204);
      assert.equal((await problem(api, owner, 'DELETE', `/onboarding/${id}/documents/${card?.id}`)).status, 404);
      assert.equal(statesOf(await read(api, owner, id))['documents'], 'asked_again');
      const early = await say(api, verifier, id, 'review', { decision: 'approve', reason: 'all fine' });
      assert.deepEqual([early.status, early.body.code], [409, 'step_not_open']);
      assert.equal((await step(api, owner, id, 'documents', { confirm: true })).status, 422);
      await upload(api, owner, id, card?.kind ?? '');
      assert.equal((await step(api, owner, id, 'documents', { confirm: true })).status, 200);
      await becomes(id, 'in_review');
    },

    'takes no file that is something else, and none once it is over': async () => {
      const id = await register(api, owner);
      assert.equal((await upload(api, owner, id, 'deed', new TextEncoder().encode('<html>'))).status, 415);
      assert.equal((await upload(api, owner, id, 'shoe')).status, 422);
      await say(api, owner, id, 'cancel');
      assert.equal((await upload(api, owner, id, 'deed')).body.code, 'onboarding_not_open');
    },

    'goes to a person where the registry knows another name, who approves it': async () => {
      const npwp = someNpwp();
      await sandboxSays('npwp', npwp, { found: true, differences: ['name'] });
      const id = await register(api, owner, { npwp });
      await doneUpTo(api, owner, id, 'documents');
      await becomes(id, 'in_review');
      const seen = await read(api, verifier, id);
      assert.deepEqual(seen.review?.reasons, ['registry_mismatch']);
      assert.deepEqual(
        seen.review?.numbers.map(({ kind, registryState }) => [kind, registryState]),
        [['npwp', 'mismatch']],
      );
      assert.equal((await read(api, owner, id)).review, null);
      const waiting = await ask<{ items: { companyId: string; reasons: string[] }[] }>(
        api,
        verifier,
        'GET',
        '/onboarding?state=in_review&limit=100',
      );
      assert.deepEqual(waiting.body.items.find(({ companyId }) => companyId === id)?.reasons, ['registry_mismatch']);
      assert.equal((await ask(api, owner, 'GET', '/onboarding')).status, 403);
      const approved = await say(api, verifier, id, 'review', {
        decision: 'approve',
        reason: 'name changed last year',
      });
      assert.deepEqual([approved.status, approved.body.state, approved.body.percent], [200, 'completed', 100]);
      assert.equal(statesOf(approved.body)['review'], 'completed');
      const late = await say(api, verifier, id, 'review', { decision: 'approve', reason: 'once more' });
      assert.equal(late.body.code, 'onboarding_not_open');
    },

    'is sent back by a person with a letter that says why': async () => {
      const id = await register(api, owner, { kbli: ['92000'] });
      await doneUpTo(api, owner, id, 'documents');
      await becomes(id, 'in_review');
      const sent = await say(api, verifier, id, 'review', {
        decision: 'ask_again',
        step: 'identity',
        reason: 'NIB is missing',
      });
      assert.equal(sent.body.state, 'in_progress');
      assert.deepEqual(
        ['business_profile', 'identity', 'documents'].map((name) => statesOf(sent.body)[name]),
        ['completed', 'asked_again', 'asked_again'],
      );
      const [letter] = await lettersOf(id);
      assert.deepEqual([letter.template, letter.data.note], ['onboarding_asked_again', 'NIB is missing']);
      assert.equal((await step(api, owner, id, 'identity', { nib: someNib() })).status, 200);
      assert.equal((await step(api, owner, id, 'documents', { confirm: true })).status, 200);
      await becomes(id, 'in_review');
      assert.equal((await eventsOf(id, 'review_asked')).length, 2);
    },

    'is decided by nobody who acts for the company': async () => {
      const id = await register(api, owner, { legalForm: 'koperasi' });
      await doneUpTo(api, owner, id, 'documents');
      await becomes(id, 'in_review');
      await system.database.db('company_members').insert({ company_id: id, user_id: verifier.id });
      const own = await say(api, verifier, id, 'review', { decision: 'approve', reason: 'trust me' });
      assert.deepEqual([own.status, own.body.code], [403, 'own_application']);
    },

    'waits for the scanner, and asks for another document where one is infected': async () => {
      const scanning = await startApi(system.database, {
        tokens: api.deps.tokens,
        temporal: system.client,
        taskQueue: system.taskQueue,
        files: system.deps.files,
        scansDocuments: true,
      });
      try {
        const id = await register(scanning, owner, { legalForm: 'UD' });
        await doneUpTo(scanning, owner, id, 'identity');
        const infected = Buffer.concat([Buffer.from('%PDF-1.4\n'), EICAR]);
        assert.equal((await upload(scanning, owner, id, 'identity_card', new Uint8Array(infected))).status, 201);
        assert.equal((await step(scanning, owner, id, 'documents', { confirm: true })).status, 200);
        await eventually('the documents to be asked for again', async () => {
          const { state } = (await read(scanning, owner, id)).steps[3] ?? {};
          return state === 'asked_again';
        });
        assert.deepEqual(
          (await lettersOf(id)).map(({ template }) => template),
          ['onboarding_asked_again'],
        );
        await upload(scanning, owner, id, 'identity_card');
        assert.equal((await step(scanning, owner, id, 'documents', { confirm: true })).status, 200);
        await becomes(id, 'completed');
      } finally {
        await scanning.close();
      }
    },

    'can be given up and taken up again where it was left': async () => {
      const id = await register(api, owner);
      await doneUpTo(api, owner, id, 'identity');
      const given = await say(api, owner, id, 'cancel');
      assert.deepEqual([given.status, given.body.state, given.body.companyStatus], [200, 'cancelled', 'cancelled']);
      assert.ok(given.body.eraseAt !== null && given.body.expiresAt === null);
      assert.equal((await say(api, owner, id, 'cancel')).body.code, 'onboarding_not_open');
      assert.equal((await step(api, owner, id, 'documents', { confirm: true })).body.code, 'onboarding_not_open');
      const reopened = await eventually('it to be open again', async () => {
        const answer = await say(api, owner, id, 'reopen');
        return answer.status === 200 ? answer.body : null;
      });
      assert.deepEqual([reopened.state, reopened.percent, reopened.companyStatus], ['in_progress', 60, 'onboarding']);
      assert.deepEqual([reopened.eraseAt, (await say(api, owner, id, 'reopen')).body.code], [null, 'not_reopenable']);
      await upload(api, owner, id, 'identity_card');
      await upload(api, owner, id, 'npwp_card');
      await step(api, owner, id, 'documents', { confirm: true });
      await becomes(id, 'completed');
    },

    'lets a company prepare applications, and submit them once the office’s setting allows': async () => {
      const strict = await startApi(system.database, {
        tokens: api.deps.tokens,
        temporal: system.client,
        taskQueue: system.taskQueue,
        onboarding: { required: true, retentionDays: 90 },
      });
      try {
        const id = await register(strict, owner);
        const types = await ask<{ items: { code: string; exampleForm: object }[] }>(
          api,
          owner,
          'GET',
          '/licenses/types',
        );
        const type = types.body.items.find(({ code }) => code === 'retail_kiosk');
        const body = { companyId: id, typeCode: type?.code, form: type?.exampleForm };
        const draft = await ask(strict, owner, 'POST', '/licenses/applications', { body });
        assert.equal(draft.status, 201);
        const submit = `/licenses/applications/${String(draft.body['id'])}/submit`;
        const refused = await problem(strict, owner, 'POST', submit);
        assert.deepEqual([refused.status, refused.body.code], [409, 'company_not_active']);
        const at = await problem(strict, owner, 'POST', '/licenses/applications', { body: { ...body, submit: true } });
        assert.equal(at.body.code, 'company_not_active');
        assert.notEqual((await problem(api, owner, 'POST', submit)).body.code, 'company_not_active');
        await say(strict, owner, id, 'cancel');
        for (const each of [api, strict])
          assert.equal(
            (await problem(each, owner, 'POST', '/licenses/applications', { body })).body.code,
            'company_not_active',
          );
      } finally {
        await strict.close();
      }
    },
  });

  it('leaves nothing half while Temporal is away', async () => {
    const alone = await startApi(system.database, { temporal: noTemporal(), tokens: api.deps.tokens });
    try {
      const body = newCompany({ name: 'Toko Sendiri' });
      const { status } = await ask(alone, owner, 'POST', '/users/companies', { body });
      assert.equal(status, 503);
      assert.equal(await system.database.db('companies').where({ name: body.name }).first('id'), undefined);
    } finally {
      await alone.close();
    }
  });
});
