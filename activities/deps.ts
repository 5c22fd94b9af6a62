import type { Knex } from 'knex';
import type { FileStore } from '../db/files.ts';
import type { PersonalData } from '../db/personal-data.ts';
import type { MoneyPolicy } from '../domain/payments.ts';
import type { Carrier } from './carriers/carrier.ts';
import type { PdfSigner } from './documents/signing.ts';
import type { Gateways } from './gateways/index.ts';
import type { MailTransport } from './mail/transport.ts';
import type { Registries } from './registries/client.ts';
import type { SmsSender } from './sms/sender.ts';
import type { VirusScanner } from './virus-scanner.ts';

/** Everything an activity touches beyond its input; the worker's entry point puts it together, tests replace parts. */
export interface ActivityDeps {
  readonly db: Knex;
  readonly files: FileStore;
  readonly gateways: Gateways;
  readonly money: MoneyPolicy;
  readonly signer: PdfSigner;
  readonly mail: MailTransport;
  /** null where the office has no SMS provider. */
  readonly sms: SmsSender | null;
  /** null where the office has no way to the state's registries. */
  readonly registries: Registries | null;
  /** null where no carrier sells labels: then people type tracking numbers in. */
  readonly carrier: Carrier | null;
  /** null where the office has no virus scanner. */
  readonly scanner: VirusScanner | null;
  /** How long the documents of a closed case are kept. */
  readonly documentRetentionDays: number;
  readonly publicUrl: string;
  readonly personalData: PersonalData;
  /** 32 bytes, from which a key for each use is derived. */
  readonly secretKey: Buffer;
  /** PKCS#8 PEM of the Ed25519 key that signs the chain of the audit. */
  readonly auditPrivateKeyPem: string;
}
