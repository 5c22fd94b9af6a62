import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from '../../activities/index.ts';
import { createMailTransport, type MailTransport } from '../../activities/mail/transport.ts';
import { createVirusScanner, type VirusScanner } from '../../activities/virus-scanner.ts';
import { unscannedOf } from '../../db/documents.ts';
import { createS3FileStore } from '../../db/s3-files.ts';
import { type ApplicationId, asId, type CompanyId, type DocumentId } from '../../domain/ids.ts';
import { type Mailbox, startMailbox } from '../../local/mailbox.ts';
import { ensureSchedules, SCHEDULES } from '../../worker/schedules.ts';
import { documentScanId, licenseReviewId } from '../../workflows/ids.ts';
import { aCompany, aLicenseType, anApplication, holds, type LicenseTypeRow } from '../builders/licensing.ts';
import { aPdf } from '../builders/papers.ts';
import { ask, problem } from '../builders/requests.ts';
import { historyToJson } from '../replay/history-json.ts';
import { noTemporal, startApi, type TestApi, type TestPerson } from '../support/api.ts';
import { type Clamd, EICAR, startClamd } from '../support/clamd.ts';
import { temporal } from '../support/machine.ts';
import { startS3 } from '../support/s3.ts';
import { startSystem, type TestSystem, workflowBundle } from '../support/system.ts';
import { eventually } from '../support/wait.ts';

describe('a document on its way to the virus scanner', function () {
  this.timeout(60_000);
  let system: TestSystem;
  let api: TestApi;
  let clamd: Clamd;
  let scanner: VirusScanner;
  let box: Mailbox;
  let mail: MailTransport;
  let owner: TestPerson;
  let verifier: TestPerson;
  let companyId: CompanyId;
  let type: LicenseTypeRow;
  let id: ApplicationId;

  before(async () => {
    clamd = await startClamd();
    scanner = createVirusScanner(clamd, 2_000);
    box = await startMailbox({ httpPort: 0, smtpPort: 0, directory: null });
    mail = createMailTransport({ smtpUrl: box.smtpUrl, from: 'Alur <no-reply@alur.example>' });
    system = await startSystem({ worker: false });
    await system.startWorker({ mail, scanner });
    api = await anApi();
    owner = await api.person('owner');
    verifier = await api.person('verifier');
    companyId = await aCompany(system.database.db, owner.id);
    type = await aLicenseType(system.database.db);
  });
  after(async () => {
    await api?.close();
    await system?.close();
    mail?.close();
    await box?.close();
    await clamd?.goAway();
  });
  beforeEach(async () => {
    clamd.be('well');
    id = await anApplication(system.database.db, { companyId, type, applicantId: owner.id });
    await holds(system.database.db, id, verifier.id, 'document_verification');
  });

  const anApi = (options: Parameters<typeof startApi>[1] = {}) =>
    startApi(system.database, {
      temporal: system.client,
      taskQueue: system.taskQueue,
      files: system.deps.files,
      scansDocuments: true,
      // One person is known to all of them.
      ...(api ? { tokens: api.deps.tokens } : {}),
      ...options,
    });
  const infectedPdf = () => Buffer.concat([aPdf({ mark: randomUUID() }), EICAR]);
  const upload = async (content = aPdf({ mark: randomUUID() }), through = api): Promise<DocumentId> => {
    const body = new FormData();
    body.append('kind', 'ktp');
    body.append('file', new Blob([new Uint8Array(content)]), 'ktp sari.pdf');
    const answer = await ask<{ id: string }>(through, owner, 'POST', `/licenses/applications/${id}/documents`, {
      body,
    });
    assert.equal(answer.status, 201);
    return asId<DocumentId>(answer.body.id);
  };
  interface Row {
    readonly scan_state: string;
    readonly removed_at: Date | null;
    readonly scan_taken_at: Date | null;
  }
  const rowOf = async (documentId: DocumentId): Promise<Row> => {
    const row: Row | undefined = await system.database
      .db('documents')
      .where({ id: documentId })
      .first('scan_state', 'removed_at', 'scan_taken_at');
    assert.ok(row);
    return row;
  };
  const stateOf = async (documentId: DocumentId) => (await rowOf(documentId)).scan_state;
  const becomes = (documentId: DocumentId, state: string) =>
    eventually(`the document to be ${state}`, async () => (await stateOf(documentId)) === state);
  const get = async (person: TestPerson, documentId: DocumentId) => {
    const { status, body } = await problem(api, person, 'GET', `/documents/${documentId}`);
    return [status, body.code];
  };
  const scan = (documentId: DocumentId) => system.client.workflow.getHandle(documentScanId(documentId));
  /** Whoever uploads does not wait for its start. */
  const onItsWay = (documentId: DocumentId) =>
    eventually('the scan to be on its way', () =>
      scan(documentId)
        .describe()
        .catch((error: unknown) => {
          if (error instanceof WorkflowNotFoundError) return null;
          throw error;
        }),
    );
  const ended = async (documentId: DocumentId) => {
    await onItsWay(documentId);
    return scan(documentId).result();
  };
  const eventsOf = (documentId: DocumentId) =>
    system.database
      .db('events')
      .whereRaw("data ->> 'documentId' = ?", [documentId])
      .whereNot('type', 'document.added')
      .orderBy('id')
      .pluck<string[]>('type');
  const letters = () => box.messages().filter(({ to }) => to.includes(owner.email));
  const sweep = (page = 100): Promise<{ taken: number }> =>
    system.client.workflow.execute('documentScanSweep', {
      workflowId: `document-scans-${randomUUID()}`,
      taskQueue: system.taskQueue,
      args: [page],
    });
  const age = (documentId: DocumentId) =>
    system.database
      .db('documents')
      .where({ id: documentId })
      .update({ uploaded_at: new Date(Date.now() - 120_000) });

  it('is for nobody but its owner until it is clean, then for everybody who may see the case', async () => {
    await clamd.goAway();
    const documentId = await upload();
    assert.equal(await stateOf(documentId), 'waiting');
    assert.equal(await unscannedOf(system.database.db, id), 1);
    assert.deepEqual(await get(verifier, documentId), [409, 'document_not_clean']);
    assert.deepEqual(await get(owner, documentId), [200, undefined]);
    await clamd.comeBack();
    await becomes(documentId, 'clean');
    assert.deepEqual(await get(verifier, documentId), [200, undefined]);
    assert.deepEqual(await ended(documentId), { state: 'clean' });
    assert.equal(await unscannedOf(system.database.db, id), 0);
    assert.deepEqual(await eventsOf(documentId), ['document.scanned', 'document.downloaded']);
  });

  it('that is infected is quarantined: off the case, never served, its owner written to once', async () => {
    const before = letters().length;
    const documentId = await upload(infectedPdf());
    assert.deepEqual(await ended(documentId), { state: 'infected' });
    assert.ok((await rowOf(documentId)).removed_at);
    assert.deepEqual(await get(verifier, documentId), [409, 'document_not_clean']);
    assert.deepEqual(await get(owner, documentId), [409, 'document_not_clean']);
    assert.deepEqual(await eventsOf(documentId), ['document.quarantined']);
    const [letter, ...more] = letters().slice(before);
    assert.deepEqual(more, []);
    assert.match(letter?.text ?? '', /“ktp sari\.pdf”[\s\S]*“ktp”/);
  });

  it('waits while the scanner is away, dies in the middle, is silent or talks nonsense; and passes none of these times', async () => {
    const impatient = createVirusScanner(clamd, 300);
    const content = Buffer.concat([aPdf(), Buffer.alloc(300_000)]);
    for (const mood of ['dies', 'silent', 'full', 'odd'] as const) {
      clamd.be(mood);
      await assert.rejects(impatient.scan(content), `a scanner that is "${mood}" passed the file`);
    }
    await clamd.goAway();
    await assert.rejects(impatient.scan(content));
    await clamd.comeBack();
    clamd.be('well');
    assert.deepEqual(await impatient.scan(content), { infected: false });
    assert.deepEqual(await impatient.scan(EICAR), { infected: true, signature: 'Win.Test.EICAR_HDB-1' });
  });

  it('is scanned in the end though the scanner died while it was sent', async () => {
    clamd.be('dies');
    const asked = clamd.asked();
    const documentId = await upload();
    await eventually('the scanner to have died on it', async () => clamd.asked() > asked);
    clamd.be('well');
    assert.deepEqual(await ended(documentId), { state: 'clean' });
  });

  it('tells the review of its case, if there is one', async () => {
    const documentId = await upload();
    await ended(documentId);
    await system.stopWorker();
    // Nobody works on it: what it is sent stays in its history.
    const review = await system.client.workflow.start('licenseReview', {
      workflowId: licenseReviewId(id),
      taskQueue: `nobody-${randomUUID()}`,
      args: [{}],
    });
    await system.startWorker({ mail, scanner });
    const second = await upload();
    assert.deepEqual(await ended(second), { state: 'clean' });
    const { events } = await review.fetchHistory();
    const signals = (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
      signal ? [signal.signalName] : [],
    );
    assert.deepEqual(signals, ['documentScanned']);
    await review.terminate();
  });

  it('waits for the sweep when Temporal was away or the API died; a fresh one is left to who took it', async () => {
    const lonely = await anApi({ temporal: noTemporal() });
    const [lost, fresh] = [await upload(undefined, lonely), await upload(undefined, lonely)];
    await lonely.close();
    await age(lost);
    assert.deepEqual(await sweep(), { taken: 1 });
    assert.deepEqual(await ended(lost), { state: 'clean' });
    assert.equal(await stateOf(fresh), 'waiting');
    await age(fresh);
    const entries = SCHEDULES.filter((entry) => entry.id === 'document-scans');
    const prefix = `${randomUUID()}-`;
    await ensureSchedules(system.client, system.taskQueue, { entries, prefix });
    const schedule = system.client.schedule.getHandle(`${prefix}document-scans`);
    try {
      await schedule.trigger();
      await becomes(fresh, 'clean');
    } finally {
      await schedule.delete();
    }
  });

  it('that was taken in while there was no scanner is scanned once there is one, while its case is open', async () => {
    const unscanned = await anApi({ scansDocuments: false });
    const taken = await upload(infectedPdf(), unscanned);
    const over = await upload(aPdf({ mark: randomUUID() }), unscanned);
    await unscanned.close();
    const closed = await anApplication(system.database.db, {
      companyId,
      type,
      applicantId: owner.id,
      state: 'rejected',
    });
    await system.database.db('documents').where({ id: over }).update({ application_id: closed });
    await system.database.db('applications').where({ id: closed }).update({ closed_at: new Date() });
    assert.deepEqual([await stateOf(taken), await stateOf(over)], ['not_scanned', 'not_scanned']);
    await sweep();
    await eventually('the scanner’s word', async () => (await stateOf(taken)) === 'infected');
    assert.equal(await stateOf(over), 'not_scanned', 'nobody decides on it any more');
    await sweep();
    const handle = system.client.workflow.getHandle(documentScanId(taken));
    assert.deepEqual(await handle.result(), { state: 'infected' });
  });

  it('is not started twice by the sweep, and anew only when its process is gone', async () => {
    await clamd.goAway();
    const documentId = await upload();
    const { runId } = await onItsWay(documentId);
    await age(documentId);
    assert.deepEqual(await sweep(), { taken: 1 });
    assert.deepEqual(await sweep(), { taken: 0 });
    assert.equal((await scan(documentId).describe()).runId, runId);
    await scan(documentId).terminate('by mistake');
    assert.deepEqual(await sweep(), { taken: 0 });
    await system.database
      .db('documents')
      .where({ id: documentId })
      .update({ scan_taken_at: new Date(Date.now() - 2 * 3_600_000) });
    assert.deepEqual(await sweep(), { taken: 1 });
    await clamd.comeBack();
    assert.deepEqual(await ended(documentId), { state: 'clean' });
  });

  it('is quarantined and written about once though every answer of an activity is lost once', async () => {
    const before = letters().length;
    await system.stopWorker();
    const activities = createActivities({ ...system.deps, mail, scanner });
    const lost = new Set<string>();
    const lossy =
      <Input, Answer>(name: string, run: (input: Input) => Promise<Answer>) =>
      async (input: Input) => {
        const answer = await run(input);
        if (lost.has(name)) return answer;
        lost.add(name);
        throw new Error('the worker was cut off');
      };
    const connection = await NativeConnection.connect({ address: (await temporal()).address });
    const worker = await Worker.create({
      connection,
      taskQueue: system.taskQueue,
      workflowBundle: await workflowBundle(),
      activities: {
        ...activities,
        scanDocument: lossy('scanDocument', activities.scanDocument),
        recordScan: lossy('recordScan', activities.recordScan),
        sendMail: lossy('sendMail', activities.sendMail),
      },
    });
    const documentId = await upload(infectedPdf());
    assert.deepEqual(await worker.runUntil(() => ended(documentId)), { state: 'infected' });
    await connection.close();
    await system.startWorker({ mail, scanner });
    assert.equal(lost.size, 3);
    assert.equal(letters().length, before + 1);
    assert.deepEqual(await eventsOf(documentId), ['document.quarantined']);
  });

  it('waits while the bucket is away, too', async () => {
    const bucket = await startS3();
    const files = createS3FileStore(bucket.settings);
    await system.stopWorker();
    await system.startWorker({ mail, scanner, files });
    const other = await anApi({ files });
    const content = aPdf({ mark: randomUUID() });
    await clamd.goAway();
    const documentId = await upload(content, other);
    await bucket.goAway();
    await clamd.comeBack();
    const attempts = async () => {
      const { raw } = await onItsWay(documentId);
      return raw.pendingActivities?.[0];
    };
    await eventually('the bucket to be missed', async () =>
      (await attempts())?.lastFailure?.message?.includes('store of files does not answer'),
    );
    assert.equal(await stateOf(documentId), 'waiting');
    await bucket.comeBack();
    assert.deepEqual(await ended(documentId), { state: 'clean' });
    await other.close();
    await system.stopWorker();
    await bucket.goAway();
    await system.startWorker({ mail, scanner });
  });

  it('tells Temporal its ID and nothing of its content, name or owner', async () => {
    const documentId = await upload(infectedPdf());
    await ended(documentId);
    const told = inClear(historyToJson(await scan(documentId).fetchHistory()));
    assert.ok(told.includes(documentId));
    for (const secret of [owner.email, owner.name, 'sari', 'ktp sari.pdf', '%PDF'])
      assert.ok(!told.includes(secret), `its history tells ${secret}`);
  });

  it('is served as ever where the office has no scanner', async () => {
    const unscanned = await anApi({ scansDocuments: false });
    const documentId = await upload(undefined, unscanned);
    await unscanned.close();
    assert.equal(await stateOf(documentId), 'not_scanned');
    assert.deepEqual(await get(verifier, documentId), [200, undefined]);
  });
});

/** Every text of a history, payloads (base64 of JSON) in clear. */
const inClear = (json: unknown): string => {
  if (typeof json === 'string') return `${json}\n${Buffer.from(json, 'base64').toString('utf8')}\n`;
  return typeof json === 'object' && json !== null ? Object.values(json).map(inClear).join('') : '';
};
