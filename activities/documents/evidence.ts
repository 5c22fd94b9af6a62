/** The evidence of an approval by law as a paper, in Indonesian and English: roles, no people; the same bytes for the same pack. */
import type { EvidencePack, Person } from '../../db/evidence.ts';
import { LEGAL_BASIS } from '../../domain/evidence.ts';
import type { Role } from '../../domain/roles.ts';
import { formatDay, formatInstant, parse } from './dates.ts';
import {
  DECISION_NAMES,
  HEADINGS,
  LABELS,
  LETTER_STATES,
  type Names,
  ROLE_NAMES,
  RUNG_NAMES,
  STAGE_NAMES,
  SUSPENSION_NAMES,
  TASK_STATES,
  TITLE,
  WORDS,
} from './evidence-words.ts';
import { A4, type Bilingual, finish, INK, openDocument, type Pdf, rule, write } from './layout.ts';
import { BOLD, PAGE_END, SANS, SIDE, WIDTH } from './paper.ts';

export interface EvidenceData {
  readonly applicationId: string;
  readonly pack: EvidencePack;
}

/** Where the next line goes; a page that is full is followed by another. */
interface Pen {
  readonly doc: Pdf;
  y: number;
}

export function renderEvidence({ applicationId, pack }: EvidenceData): Promise<Buffer> {
  const { office, type, grantedAt } = pack;
  const doc = openDocument({
    title: `${TITLE.id} ${applicationId}`,
    author: office.name,
    subject: `${TITLE.en}, ${type.name.en}`,
    createdAt: parse(grantedAt),
    language: 'id',
  });
  const pen: Pen = { doc, y: 50 };
  head(pen, pack);
  for (const [label, value] of factsOf(applicationId, pack)) row(pen, label, value);
  section(pen, HEADINGS.days, daysOf(pack));
  section(pen, HEADINGS.suspensions, suspensionsOf(pack));
  section(pen, HEADINGS.tasks, tasksOf(pack));
  section(pen, HEADINGS.decisions, decisionsOf(pack));
  section(pen, HEADINGS.rungs, rungsOf(pack));
  return finish(doc);
}

function head(pen: Pen, { office }: EvidencePack): void {
  line(pen, office.name.toUpperCase(), { font: BOLD, size: 12, color: INK.accent });
  line(pen, office.address, { size: 8.5, color: INK.muted });
  pen.y += 8;
  line(pen, TITLE.id, { font: BOLD, size: 17 });
  line(pen, TITLE.en, { size: 10.5, color: INK.muted });
  pen.y += 6;
  rule(pen.doc, SIDE, pen.y, WIDTH, INK.accent, 1.2);
  pen.y += 10;
}

function factsOf(applicationId: string, pack: EvidencePack): [Bilingual, Bilingual | string][] {
  const at = atOf(pack);
  const days = pack.legalBudgetMs / pack.workingDayMs;
  const { version, opensAtMinute, closesAtMinute, holidays } = pack.calendar;
  const open = `${clockOf(opensAtMinute)}–${clockOf(closesAtMinute)}`;
  const off = holidays.map(({ date, reason }) => `${date} ${reason}`).join('; ');
  return [
    [LABELS.company, pack.company.name],
    [LABELS.nib, pack.company.nib ?? '–'],
    [LABELS.type, pack.type.name],
    [LABELS.application, applicationId],
    [LABELS.submitted, at(pack.submittedAt)],
    [LABELS.complete, at(pack.completeAt)],
    [LABELS.budget, both((l) => `${days} ${WORDS.workingDays[l]} (${hoursOf(pack.legalBudgetMs)[l]})`)],
    [LABELS.used, hoursOf(pack.officeMs)],
    [LABELS.spared, hoursOf(pack.applicantMs)],
    [LABELS.due, at(pack.legalDueAt)],
    [LABELS.granted, at(pack.grantedAt)],
    [
      LABELS.calendar,
      both((l) => `${WORDS.version[l]} ${version}, ${open}; ${WORDS.holidays[l]}: ${off === '' ? WORDS.none[l] : off}`),
    ],
    [LABELS.basis, LEGAL_BASIS],
  ];
}

const daysOf = ({ days, office: { zone } }: EvidencePack): Bilingual[] =>
  days.map(({ date, workingMs }) => both((l) => `${formatDay(date, zone, l)}: ${hoursOf(workingMs)[l]}`));

function suspensionsOf(pack: EvidencePack): Bilingual[] {
  const at = atOf(pack);
  return pack.suspensions.map(({ reason, from, to, workingMs, round }) =>
    both((l) => {
      const until = to === null ? '…' : at(to)[l];
      return `${at(from)[l]} – ${until}: ${named(SUSPENSION_NAMES, reason)[l]} (${WORDS.round[l]} ${round}, ${hoursOf(workingMs)[l]})`;
    }),
  );
}

function tasksOf(pack: EvidencePack): Bilingual[] {
  const at = atOf(pack);
  return pack.tasks.map(({ stage, round, role, assignee, openedAt, dueAt, closedAt, state }) =>
    both((l) => {
      const holder = assignee === null ? WORDS.nobody[l] : ROLE_NAMES[role][l];
      const closed = closedAt === null ? '' : `, ${at(closedAt)[l]}`;
      const span = `${at(openedAt)[l]} – ${at(dueAt)[l]}`;
      return `${STAGE_NAMES[stage][l]}, ${WORDS.round[l]} ${round}: ${span}; ${holder}; ${named(TASK_STATES, state)[l]}${closed}`;
    }),
  );
}

function decisionsOf(pack: EvidencePack): Bilingual[] {
  const at = atOf(pack);
  return pack.decisions.map(({ stage, round, decision, at: when, by }) =>
    both(
      (l) =>
        `${at(when)[l]}: ${STAGE_NAMES[stage][l]}, ${WORDS.round[l]} ${round}, ${named(DECISION_NAMES, decision)[l]} (${rolesOf(by)[l]})`,
    ),
  );
}

function rungsOf(pack: EvidencePack): Bilingual[] {
  const at = atOf(pack);
  return pack.rungs.map(({ stage, round, code, firedAt, told }) =>
    both((l) => {
      const letters = told.map(({ person, state, sentAt }) => {
        const sent = sentAt === null ? '' : ` ${at(sentAt)[l]}`;
        return `${rolesOf(person)[l]} (${named(LETTER_STATES, state)[l]}${sent})`;
      });
      const to = letters.length > 0 ? letters.join('; ') : WORDS.none[l];
      return `${at(firedAt)[l]}: ${STAGE_NAMES[stage][l]}, ${WORDS.round[l]} ${round}, ${named(RUNG_NAMES, code)[l]}: ${to}`;
    }),
  );
}

// ---- words ----------------------------------------------------------------------------------------------------------

const both = (text: (locale: 'id' | 'en') => string): Bilingual => ({ id: text('id'), en: text('en') });

const named = (names: Names, code: string): Bilingual => names[code] ?? { id: code, en: code };

const atOf =
  ({ office: { zone } }: EvidencePack) =>
  (iso: string): Bilingual =>
    both((locale) => formatInstant(iso, zone, locale));

const rolesOf = ({ roles }: Person): Bilingual =>
  both((l) => (roles.length > 0 ? roles.map((role: Role) => ROLE_NAMES[role][l]).join(', ') : 'Alur'));

/** To the minute: `7:30 jam`, `7:30 h`. */
function hoursOf(ms: number): Bilingual {
  const minutes = Math.floor(ms / 60_000);
  const text = `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
  return both((l) => `${text} ${WORDS.hours[l]}`);
}

const clockOf = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

// ---- lines ----------------------------------------------------------------------------------------------------------

interface Ink {
  readonly font?: string;
  readonly size: number;
  readonly color?: string;
}

function line(pen: Pen, text: string, { font = SANS, ...ink }: Ink, x = SIDE, width = WIDTH): void {
  pen.y = write(pen.doc, text, x, pen.y, width, { font, ...ink });
}

function row(pen: Pen, label: Bilingual, value: Bilingual | string): void {
  makeRoom(pen, 40);
  const top = pen.y;
  const called = label.id === label.en ? label.id : `${label.id} / ${label.en}`;
  line(pen, called, { size: 8, color: INK.muted }, SIDE, 150);
  const labelEnd = pen.y;
  pen.y = top;
  const { id, en } = typeof value === 'string' ? { id: value, en: value } : value;
  line(pen, id, { font: BOLD, size: 9.5 }, SIDE + 160, WIDTH - 160);
  if (en !== id) line(pen, en, { size: 8.5, color: INK.muted }, SIDE + 160, WIDTH - 160);
  pen.y = Math.max(pen.y, labelEnd) + 3;
  rule(pen.doc, SIDE, pen.y, WIDTH, INK.line);
  pen.y += 4;
}

function section(pen: Pen, heading: Bilingual, items: readonly Bilingual[]): void {
  makeRoom(pen, 70);
  pen.y += 10;
  line(pen, `${heading.id} / ${heading.en}`, { font: BOLD, size: 11, color: INK.accent });
  pen.y += 3;
  for (const { id, en } of items.length > 0 ? items : [WORDS.none]) {
    makeRoom(pen, 34);
    line(pen, id, { size: 9 });
    if (en !== id) line(pen, en, { size: 8, color: INK.muted });
    pen.y += 3;
  }
}

function makeRoom(pen: Pen, height: number): void {
  if (pen.y + height <= PAGE_END) return;
  pen.doc.addPage({ size: [A4.width, A4.height], margin: 0 });
  pen.y = 50;
}
