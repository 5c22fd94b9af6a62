/** The licence certificate: one A4 page in Indonesian and English, the same bytes for the same data. */
import type { GrantedBy } from '../../domain/licenses.ts';
import type { Risk } from '../../domain/licensing.ts';
import { GRANT, RISK, SIGNATURE } from './certificate-words.ts';
import { formatDay, formatInstant, lastInstant, parse, zoneName } from './dates.ts';
import { A4, type Bilingual, finish, INK, openDocument, type Pdf, qrCode, rule, write } from './layout.ts';

export interface CertificateData {
  readonly licenseNumber: string;
  readonly licenseName: Bilingual;
  readonly risk: Risk;
  readonly office: { readonly name: string; readonly address: string };
  /** No NPWP and no NIK: the certificate is shown around. `nib` null = none issued yet. */
  readonly company: {
    readonly name: string;
    readonly legalForm: string;
    readonly nib: string | null;
    readonly address: string;
  };
  /** A title may be empty: then codes stand alone. */
  readonly kbli: readonly { readonly code: string; readonly title: Bilingual }[];
  /** ISO 8601 instants, shown as days in `timeZone`. */
  readonly validFrom: string;
  /** The instant from which it is no longer valid, or a bare date, the last day on which it is; null = valid for life. */
  readonly validUntil: string | null;
  readonly issuedAt: string;
  /** Number of the licence whose next term this is; absent or null = it renews none. */
  readonly renews?: string | null;
  /** IANA name of the office's zone. */
  readonly timeZone: string;
  readonly verifyUrl: string;
  /** `law` = because the legal time ran out (fiktif positif); the certificate says so. */
  readonly grantedBy: GrantedBy;
  /** `uncertified` = signed with the installation's own key; `certified` = through a registered provider (PSrE). */
  readonly signature: keyof typeof SIGNATURE;
}

const SERIF = 'Times-Roman';
const SERIF_BOLD = 'Times-Bold';
const SERIF_ITALIC = 'Times-Italic';

const SIDE = 64;
const WIDTH = A4.width - 2 * SIDE;
const TOP = 58;
const FOOT = { top: 640, qr: 112 } as const;
const BODY_END = FOOT.top - 10;
/** Sizes that are tried in turn until everything stands above the foot. */
const SCALES = [1, 0.92, 0.84, 0.76, 0.68, 0.6];

interface Fit {
  readonly scale: number;
  /** Points of extra space in each gap, so that a short certificate fills its page. */
  readonly air: number;
}

/**
 * The certificate before it is signed.
 * @throws RangeError when names and addresses are so long that one page cannot hold them even in the smallest print, or
 * a date is not ISO 8601
 */
export async function renderCertificate(data: CertificateData): Promise<Buffer> {
  const fit = fitOnOnePage(data);
  const doc = open(data);
  frame(doc);
  body(doc, data, fit);
  foot(doc, data);
  return finish(doc);
}

function fitOnOnePage(data: CertificateData): Fit {
  const endAt = (scale: number) => body(draft(data), data, { scale, air: 0 });
  const scale = SCALES.find((candidate) => endAt(candidate) <= BODY_END);
  if (scale === undefined) {
    throw new RangeError(`Certificate ${data.licenseNumber} does not fit on one page: shorten its names or addresses.`);
  }
  const gaps = rowsOf(data).length * 2 + 4;
  return { scale, air: Math.min((BODY_END - endAt(scale)) / gaps, 7) };
}

const open = (data: CertificateData, height?: number): Pdf =>
  openDocument({
    title: `${data.licenseName.id} ${data.licenseNumber}`,
    author: data.office.name,
    subject: `${data.licenseName.en} ${data.licenseNumber}`,
    createdAt: parse(data.issuedAt),
    language: 'id',
    ...(height === undefined ? {} : { height }),
  });

/** A page without an end, to measure on. */
const draft = (data: CertificateData): Pdf => open(data, 20_000);

function frame(doc: Pdf): void {
  doc
    .rect(24, 24, A4.width - 48, A4.height - 48)
    .lineWidth(2.2)
    .strokeColor(INK.accent)
    .stroke();
  doc
    .rect(30, 30, A4.width - 60, A4.height - 60)
    .lineWidth(0.6)
    .strokeColor(INK.gold)
    .stroke();
  for (const [x, y] of [
    [30, 30],
    [A4.width - 30, 30],
    [30, A4.height - 30],
    [A4.width - 30, A4.height - 30],
  ] as const) {
    doc
      .rect(x - 4, y - 4, 8, 8)
      .lineWidth(0.6)
      .fillAndStroke('#ffffff', INK.gold);
  }
}

/** Draws everything above the foot and returns where it ends. */
function body(doc: Pdf, data: CertificateData, { scale, air }: Fit): number {
  const center = (text: string, y: number, font: string, size: number, color: string = INK.text, spacing = 0) =>
    write(doc, text, SIDE, y, WIDTH, { font, size: size * scale, color, align: 'center', characterSpacing: spacing });

  let y = center(data.office.name.toUpperCase(), TOP, SERIF_BOLD, 15, INK.accent, 0.6);
  y = center(data.office.address, y + 2, SERIF, 9.5, INK.muted);
  rule(doc, SIDE, y + 7, WIDTH, INK.accent, 1.4);
  rule(doc, SIDE, y + 10, WIDTH, INK.accent, 0.4);

  y = center(data.licenseName.id.toUpperCase(), y + 10 + 20 * scale + air, SERIF_BOLD, 20, INK.text, 0.8);
  y = center(data.licenseName.en, y + 1, SERIF_ITALIC, 13, INK.muted);
  y = center(`Nomor / Number: ${data.licenseNumber}`, y + 7 * scale, SERIF_BOLD, 12);

  const grant = GRANT[data.grantedBy];
  y = center(grant.id, y + 18 * scale + air, SERIF, 11);
  y = center(grant.en, y, SERIF_ITALIC, 9.5, INK.muted);
  y = center(data.company.name, y + 7 * scale + air, SERIF_BOLD, 24, INK.accent);
  rule(doc, A4.width / 2 - 60, y + 4 * scale, 120, INK.gold, 1);
  return facts(doc, data, y + 16 * scale + air, { scale, air });
}

function facts(doc: Pdf, data: CertificateData, top: number, { scale, air }: Fit): number {
  const labelWidth = 150;
  const valueX = SIDE + labelWidth + 12;
  let y = top;
  for (const { label, value, translation } of rowsOf(data)) {
    const labelEnd = write(doc, label.en, SIDE, bilingualLabel(doc, label.id, y, labelWidth, scale), labelWidth, {
      font: SERIF_ITALIC,
      size: 8.5 * scale,
      color: INK.muted,
      lineGap: 0,
    });
    let valueEnd = write(doc, value, valueX, y, WIDTH - labelWidth - 12, { font: SERIF_BOLD, size: 11 * scale });
    if (translation) {
      const style = { font: SERIF_ITALIC, size: 9.5 * scale, color: INK.muted, lineGap: 0 };
      valueEnd = write(doc, translation, valueX, valueEnd, WIDTH - labelWidth - 12, style);
    }
    y = Math.max(labelEnd, valueEnd) + 4 * scale + air;
    rule(doc, SIDE, y, WIDTH, INK.line);
    y += 5 * scale + air;
  }
  return y;
}

const bilingualLabel = (doc: Pdf, text: string, y: number, width: number, scale: number): number =>
  write(doc, text, SIDE, y, width, { font: SERIF, size: 11 * scale, lineGap: 0 });

interface Row {
  readonly label: Bilingual;
  readonly value: string;
  /** The value in English, where it differs. */
  readonly translation?: string;
}

function rowsOf(data: CertificateData): Row[] {
  const { company } = data;
  return [
    { label: { id: 'Bentuk usaha', en: 'Legal form' }, value: company.legalForm },
    { label: { id: 'Nomor Induk Berusaha (NIB)', en: 'Business identification number' }, value: company.nib ?? '–' },
    { label: { id: 'Alamat', en: 'Address' }, value: company.address },
    ...kbliRows(data.kbli),
    { label: { id: 'Tingkat risiko', en: 'Risk class' }, value: RISK[data.risk].id, translation: RISK[data.risk].en },
    validity(data),
    ...renewal(data),
  ];
}

/** A row for each line of business, or one of the bare codes where they are many or without a title. */
function kbliRows(kbli: CertificateData['kbli']): Row[] {
  const label = { id: 'Bidang usaha (KBLI)', en: 'Line of business' };
  const titled = kbli.length <= 4 && kbli.every(({ title }) => title.id !== '');
  if (!titled) return [{ label, value: kbli.map(({ code }) => code).join(', ') }];
  return kbli.map(({ code, title }) => ({ label, value: `${code}  ${title.id}`, translation: title.en }));
}

function validity({ validFrom, validUntil, timeZone }: CertificateData): Row {
  const label = { id: 'Masa berlaku', en: 'Validity' };
  const zone = zoneName(validFrom, timeZone);
  const day = (iso: string) => ({ id: formatDay(iso, timeZone, 'id'), en: formatDay(iso, timeZone, 'en') });
  const from = day(validFrom);
  if (validUntil === null) {
    return {
      label,
      value: `Sejak ${from.id} (${zone}), seumur hidup`,
      translation: `From ${from.en} (${zone}), lifetime`,
    };
  }
  const last = day(lastInstant(validUntil));
  return {
    label,
    value: `${from.id} sampai dengan ${last.id} (${zone})`,
    translation: `${from.en} up to and including ${last.en} (${zone})`,
  };
}

const renewal = ({ renews }: CertificateData): Row[] =>
  renews ? [{ label: { id: 'Perpanjangan dari izin nomor', en: 'Renewal of licence number' }, value: renews }] : [];

function foot(doc: Pdf, data: CertificateData): void {
  const textX = SIDE + FOOT.qr + 8;
  const verifyWidth = 186;
  const issueX = textX + verifyWidth + 10;
  qrCode(doc, data.verifyUrl, SIDE - 8, FOOT.top, FOOT.qr);
  verifyBlock(doc, data, textX, verifyWidth);
  issueBlock(doc, data, issueX, SIDE + WIDTH - issueX);

  const note = SIGNATURE[data.signature];
  const style = { size: 7.5, color: INK.muted, align: 'center', lineGap: 0 } as const;
  rule(doc, SIDE, FOOT.top + FOOT.qr + 3, WIDTH, INK.line);
  const y = write(doc, note.id, SIDE, FOOT.top + FOOT.qr + 9, WIDTH, { font: SERIF, ...style });
  write(doc, note.en, SIDE, y + 1, WIDTH, { font: SERIF_ITALIC, ...style });
}

function verifyBlock(doc: Pdf, data: CertificateData, x: number, width: number): void {
  let y = write(doc, 'Periksa keaslian', x, FOOT.top + 14, width, { font: SERIF_BOLD, size: 10, color: INK.accent });
  y = write(doc, 'Check authenticity', x, y - 1, width, { font: SERIF_ITALIC, size: 8.5, color: INK.muted });
  write(doc, data.verifyUrl, x, y + 3, width, { font: 'Courier', size: 7 });
}

function issueBlock(doc: Pdf, data: CertificateData, x: number, width: number): void {
  const { issuedAt, timeZone } = data;
  let y = write(doc, 'Diterbitkan', x, FOOT.top + 14, width, { font: SERIF_BOLD, size: 10, color: INK.accent });
  y = write(doc, 'Issued', x, y - 1, width, { font: SERIF_ITALIC, size: 8.5, color: INK.muted });
  y = write(doc, formatInstant(issuedAt, timeZone, 'id'), x, y + 3, width, { font: SERIF, size: 9.5 });
  const english = formatInstant(issuedAt, timeZone, 'en');
  y = write(doc, english, x, y, width, { font: SERIF_ITALIC, size: 8.5, color: INK.muted });
  y = write(doc, 'Ditandatangani secara elektronik', x, y + 5, width, { font: SERIF_BOLD, size: 9.5 });
  write(doc, 'Electronically signed', x, y - 1, width, { font: SERIF_ITALIC, size: 8.5, color: INK.muted });
}
