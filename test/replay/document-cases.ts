/** Documents that the scanner passes and one that it does not, a sweep that finds one, and a night run that deletes one. */
import { randomUUID } from 'node:crypto';
import { addDocument, removeDocument } from '../../db/documents.ts';
import { asId, type CompanyId, type DocumentId } from '../../domain/ids.ts';
import { demoUserId } from '../../local/demo-data.ts';
import { documentScanId } from '../../workflows/ids.ts';
import { aLicenseType, anApplication, hashOf } from '../builders/licensing.ts';
import { aPdf } from '../builders/papers.ts';
import { EICAR } from '../support/clamd.ts';
import type { TestSystem } from '../support/system.ts';
import type { Played } from './cases.ts';

export async function playDocuments(system: TestSystem): Promise<Played> {
  const { db } = system.database;
  const by = demoUserId('owner');
  const member: { company_id: string } = await db('company_members').where({ user_id: by }).first('company_id');
  const companyId = asId<CompanyId>(member.company_id);
  const type = await aLicenseType(db);
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

  const attached = async (scanState: 'waiting' | 'clean', content: Buffer) => {
    const applicationId = await anApplication(db, { companyId, type, applicantId: by });
    const id = asId<DocumentId>(randomUUID());
    const named = {
      id,
      applicationId,
      kind: 'ktp',
      filename: 'ktp.pdf',
      sha256: hashOf(content),
      bytes: content.length,
    };
    const rest = { contentType: 'application/pdf', scanState, sanity: null, by, at: ago(120_000) };
    await addDocument(db, { ...named, ...rest }, () => system.deps.files.put(content));
    return { applicationId, documentId: id };
  };
  const paper = () => aPdf({ mark: randomUUID() });
  const start = (workflowType: string, workflowId: string, args: readonly unknown[] = []) =>
    system.client.workflow.start(workflowType, { workflowId, taskQueue: system.taskQueue, args: [...args] });
  const scanned = async (content: Buffer) => {
    const { documentId } = await attached('waiting', content);
    await start('documentScan', documentScanId(documentId), [{ documentId }]);
    return documentScanId(documentId);
  };

  const clean = await scanned(paper());
  const infected = await scanned(Buffer.concat([paper(), EICAR]));
  await attached('waiting', paper());
  const sweep = `document-scans-${randomUUID()}`;
  await start('documentScanSweep', sweep);
  const off = await attached('clean', paper());
  await removeDocument(db, { ...off, by, at: ago(31 * 86_400_000) });
  const night = `document-retention-${randomUUID()}`;
  await start('documentRetention', night);
  return {
    'documentScan-clean': clean,
    'documentScan-infected': infected,
    'documentScanSweep-one-waiting': sweep,
    'documentRetention-one-due': night,
  };
}
