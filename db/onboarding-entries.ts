/**
 * What an owner enters in a step, put on record before the process hears of it. A step that was done is asked again from
 * here on, until the process has heard: should the API die in between, nobody takes the new entry for a finished step.
 */
import type { Knex } from 'knex';
import { type CompanyScale, type LegalForm, scaleOf } from '../domain/companies.ts';
import { Failure, type FieldProblem } from '../domain/failures.ts';
import { maskNumber } from '../domain/identity-numbers.ts';
import type { CompanyId } from '../domain/ids.ts';
import {
  type CompanyDocumentKind,
  isKnownByNik,
  missingDocuments,
  type OwnerStep,
  refuseStep,
} from '../domain/onboarding.ts';
import { companyDocuments } from './company-documents.ts';
import { type CompanyNumbers, claimCompanyNumbers, releaseCompanyNumber } from './company-numbers.ts';
import { lockOnboarding } from './onboarding.ts';
import type { PersonalData } from './personal-data.ts';

export interface ProfileEntry {
  readonly name?: string | undefined;
  readonly legalForm?: LegalForm | undefined;
  readonly address?: string | undefined;
  readonly kbli?: readonly string[] | undefined;
  readonly capitalMinor?: bigint | undefined;
  readonly annualSalesMinor?: bigint | undefined;
}

export type DocumentsEntry = { readonly documentIds: readonly string[] } | { readonly confirm: true };

/** `same`: it is done, and nothing differs. `entered`: the process has yet to hear of it. */
export type Entered = 'same' | 'entered';

/** @throws Failure `onboarding_not_open`, `step_not_open`, `company_onboarded`; `invalid_request` with pointers */
export async function enterStep(
  db: Knex,
  { companyId, step, at }: { readonly companyId: CompanyId; readonly step: OwnerStep; readonly at: string },
  write: (tx: Knex, company: EnteredCompany, isDone: boolean) => Promise<Written>,
): Promise<Entered> {
  return db.transaction(async (tx) => {
    const it = await lockOnboarding(tx, companyId);
    const refusal = it ? refuseStep(it, step) : refuseStep({ state: 'completed', steps: [] }, step);
    if (refusal) throw new Failure(refusal.code, refusal.message, refusal.facts);
    const isDone = it?.steps.some((each) => each.step === step && each.state === 'completed') ?? false;
    const { differs, metadata } = await write(tx, await companyAsEntered(tx, companyId), isDone);
    if (isDone && !differs) return 'same';
    await tx('onboarding_steps')
      .where({ company_id: companyId, step })
      .update({ metadata: JSON.stringify(metadata), ...(isDone ? { state: 'asked_again' } : {}) });
    await tx('onboardings').where({ company_id: companyId }).update({ updated_at: at });
    return 'entered';
  });
}

interface Written {
  readonly differs: boolean;
  /** Shown with the step. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

interface EnteredCompany {
  readonly id: CompanyId;
  readonly name: string;
  readonly legalForm: LegalForm;
  readonly address: string;
  readonly kbli: readonly string[];
  readonly capitalMinor: bigint | null;
  readonly annualSalesMinor: bigint | null;
  readonly scale: CompanyScale;
  readonly nib: string | null;
  readonly npwpEncrypted: Buffer | null;
}

async function companyAsEntered(tx: Knex, id: CompanyId): Promise<EnteredCompany> {
  const found: EnteredCompany | undefined = await tx('companies').where({ id }).forUpdate().first({
    id: 'id',
    name: 'name',
    legalForm: 'legal_form',
    address: 'address',
    kbli: 'kbli',
    capitalMinor: 'capital_minor',
    annualSalesMinor: 'annual_sales_minor',
    scale: 'scale',
    nib: 'nib',
    npwpEncrypted: 'npwp_encrypted',
  });
  if (!found) throw new Error(`company ${id} does not exist`);
  return found;
}

/** Nothing is entered: the account says whether its address is verified. */
export const writeNothing = async (): Promise<Written> => ({ differs: false, metadata: {} });

// ---- the profile ----------------------------------------------------------------------------------------------------

/** What is not said stays as it was entered with the company. */
export const writeProfile =
  (entry: ProfileEntry, at: string, problem: (code: 'required', pointer: string) => FieldProblem) =>
  async (tx: Knex, before: EnteredCompany): Promise<Written> => {
    const { name, legalForm, address, kbli, capitalMinor, annualSalesMinor } = { ...before, ...present(entry) };
    if (kbli.length === 0) throw new Failure('invalid_request', '', { errors: [problem('required', '/kbli')] });
    const scale = scaleOf({ capitalMinor, annualSalesMinor });
    const after = { name, legalForm, address, kbli, capitalMinor, annualSalesMinor };
    const differs = digest(after) !== digest(before);
    if (differs)
      await tx('companies')
        .where({ id: before.id })
        .update({
          name,
          legal_form: legalForm,
          address,
          kbli: [...kbli],
          capital_minor: capitalMinor,
          annual_sales_minor: annualSalesMinor,
          scale,
          updated_at: at,
        });
    return { differs, metadata: { legalForm, kbli, scale } };
  };

type Profile = Pick<EnteredCompany, 'name' | 'legalForm' | 'address' | 'kbli' | 'capitalMinor' | 'annualSalesMinor'>;

const digest = ({ name, legalForm, address, kbli, capitalMinor, annualSalesMinor }: Profile): string =>
  JSON.stringify([name, legalForm, address, kbli, String(capitalMinor), String(annualSalesMinor)]);

function present({ name, legalForm, address, kbli, capitalMinor, annualSalesMinor }: ProfileEntry): Partial<Profile> {
  return {
    ...(name === undefined ? {} : { name }),
    ...(legalForm === undefined ? {} : { legalForm }),
    ...(address === undefined ? {} : { address }),
    ...(kbli === undefined ? {} : { kbli }),
    ...(capitalMinor === undefined ? {} : { capitalMinor }),
    ...(annualSalesMinor === undefined ? {} : { annualSalesMinor }),
  };
}

// ---- its numbers ----------------------------------------------------------------------------------------------------

const NPWP = 'companies.npwp';

/** What is not said stays as it was: the NPWP is known since the company was registered. Digits only. */
export const writeNumbers =
  (
    given: CompanyNumbers,
    personalData: PersonalData,
    at: string,
    problem: (code: 'not_allowed', pointer: string) => FieldProblem,
  ) =>
  async (tx: Knex, company: EnteredCompany, isDone: boolean): Promise<Written> => {
    const { id, legalForm, npwpEncrypted } = company;
    if (given.nik && !isKnownByNik(legalForm))
      throw new Failure('invalid_request', '', { errors: [problem('not_allowed', '/nik')] });
    // Its legal form may have changed: the NIK of its owner is theirs again, for another business.
    if (!isKnownByNik(legalForm)) await releaseCompanyNumber(tx, id, 'nik');
    const nib = given.nib ?? company.nib ?? undefined;
    const npwp = given.npwp ?? (npwpEncrypted ? personalData.open(npwpEncrypted, NPWP) : undefined);
    const numbers = { ...(nib ? { nib } : {}), ...(npwp ? { npwp } : {}), ...(given.nik ? { nik: given.nik } : {}) };
    const claimed = await claimCompanyNumbers(tx, personalData, id, numbers, isDone);
    if ('taken' in claimed) throw new Failure('company_onboarded', '');
    if (claimed.differs && npwp)
      await tx('companies')
        .where({ id })
        .update({
          nib: nib ?? null,
          npwp_encrypted: personalData.seal(npwp, NPWP),
          npwp_hash: personalData.fingerprint(npwp, NPWP),
          npwp_masked: maskNumber(npwp),
          updated_at: at,
        });
    const rows: { kind: string; masked: string }[] = await tx('company_numbers')
      .where({ company_id: id })
      .select('kind', 'masked');
    return {
      differs: claimed.differs,
      metadata: Object.fromEntries(rows.map(({ kind, masked }) => [kind, masked])),
    };
  };

// ---- its documents --------------------------------------------------------------------------------------------------

/** Hands in what was uploaded, or the part of it that is named. */
export const writeDocuments =
  (
    entry: DocumentsEntry,
    problem: (code: 'unknown_document' | 'document_missing', pointer: string, kinds?: string) => FieldProblem,
  ) =>
  async (tx: Knex, company: EnteredCompany): Promise<Written> => {
    const there = await companyDocuments(tx, company.id);
    const named = 'documentIds' in entry ? entry.documentIds : there.map(({ id }) => id);
    const unknown = named.flatMap((id, index) =>
      there.some((document) => document.id === id) ? [] : [problem('unknown_document', `/documentIds/${index}`)],
    );
    if (unknown.length > 0) throw new Failure('invalid_request', '', { errors: unknown });
    const handedIn = there.filter(({ id }) => named.some((each) => each === id));
    const kinds: CompanyDocumentKind[] = [...new Set(handedIn.map(({ kind }) => kind))].sort();
    const missing = missingDocuments(company.legalForm, kinds);
    if (missing.length > 0) {
      const pointer = 'documentIds' in entry ? '/documentIds' : '/confirm';
      throw new Failure('invalid_request', '', { errors: [problem('document_missing', pointer, missing.join(', '))] });
    }
    const documentIds = handedIn.map(({ id }) => String(id)).sort();
    const before: { metadata: { documentIds?: readonly string[] } } | undefined = await tx('onboarding_steps')
      .where({ company_id: company.id, step: 'documents' })
      .first('metadata');
    const differs = JSON.stringify(before?.metadata.documentIds) !== JSON.stringify(documentIds);
    return { differs, metadata: { documentIds, kinds } };
  };
