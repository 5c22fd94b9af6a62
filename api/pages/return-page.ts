/** The page of a return: how far it has come, what is asked of its customer until when, and the forms to answer. */
import type { PagePhoto, PageWords, ReturnOnPage } from '../../db/shop-page-reads.ts';
import { formatMoney, money } from '../../domain/money.ts';
import { countStates, returnDeadline } from '../../domain/return-deadlines.ts';
import {
  HEARD_IN,
  RESOLUTIONS,
  type ReturnMessageKind,
  type ReturnState,
  type ReturnUnitState,
} from '../../domain/returns.ts';
import { CONDITION_WORDS, RESOLUTION_WORDS, RETURN_REASON_WORDS } from '../../domain/shop-words.ts';
import type { Locale } from '../request.ts';
import { instantOf, type Words } from './layout.ts';
import { stepsOf } from './order-page.ts';
import { RETURN_BANNERS } from './return-banners.ts';
import { type Section, type ShopField, type ShopForm, type ShopOption, shopPage } from './shop-layout.ts';

const STEPS: readonly Words[] = [
  { id: 'Diminta', en: 'Requested' },
  { id: 'Disetujui', en: 'Approved' },
  { id: 'Dikirim', en: 'Sent' },
  { id: 'Diperiksa', en: 'Inspected' },
  { id: 'Diputuskan', en: 'Decided' },
  { id: 'Selesai', en: 'Done' },
];

/** Which step is the present one; past the last = all are done; null = the return has left this road. */
const STEP_OF: Readonly<Record<ReturnState, number | null>> = {
  requested: 1,
  under_review: 1,
  info_requested: 1,
  approved: 2,
  label_pending: 2,
  awaiting_shipment: 2,
  in_transit: 2,
  lost_in_transit: 2,
  received: 3,
  inspecting: 3,
  resolution_pending: 4,
  refunding: 5,
  replacing: 5,
  manual_review: null,
  expired: null,
  closed_refunded: 6,
  closed_replaced: 6,
  closed_mixed: 6,
  rejected: null,
  cancelled: null,
};

const UNIT_WORDS: Readonly<Record<ReturnUnitState, Words>> = {
  requested: { id: 'diminta', en: 'asked for' },
  refused: { id: 'tidak dapat dikembalikan', en: 'cannot be returned' },
  authorised: { id: 'mohon dikirim', en: 'please send it' },
  kept: { id: 'boleh Anda simpan', en: 'yours to keep' },
  received: { id: 'sudah tiba', en: 'has arrived' },
  accepted: { id: 'diterima', en: 'accepted' },
  declined: { id: 'tidak diterima', en: 'not accepted' },
  missing: { id: 'tidak kami terima', en: 'did not arrive' },
  withdrawn: { id: 'ditarik kembali', en: 'withdrawn' },
};

const SAID: Readonly<Record<PageWords['kind'], Words>> = {
  reject: { id: 'Toko: alasan penolakan', en: 'The shop: why it is not accepted' },
  request_info: { id: 'Toko bertanya', en: 'The shop asks' },
  provide_info: { id: 'Jawaban Anda', en: 'Your answer' },
  dispute: { id: 'Sanggahan Anda', en: 'Your dispute' },
  decide_dispute: { id: 'Toko: jawaban atas sanggahan', en: 'The shop: answer to the dispute' },
};

export const RETURN_ACTS = ['start', 'answer', 'photos', 'accept', 'dispute', 'choose', 'cancel', 'link'] as const;
export type ReturnAct = (typeof RETURN_ACTS)[number];

const DONE: Readonly<Record<ReturnAct, Words>> = {
  start: {
    id: 'Permintaan Anda sudah kami terima. Anda dapat menambahkan foto di bawah.',
    en: 'We have received your request. You can add photographs below.',
  },
  answer: { id: 'Jawaban Anda sudah kami terima.', en: 'We have received your answer.' },
  photos: { id: 'Foto sudah ditambahkan.', en: 'The photograph was added.' },
  accept: { id: 'Anda menyetujui rinciannya.', en: 'You have accepted the statement.' },
  dispute: { id: 'Sanggahan Anda sudah kami terima.', en: 'We have received your dispute.' },
  choose: { id: 'Pilihan Anda sudah kami terima.', en: 'We have received your choice.' },
  cancel: { id: 'Pengembalian dibatalkan.', en: 'The return is cancelled.' },
  link: { id: 'Tautan baru sudah kami kirim lewat e-mail.', en: 'We have sent you a new link.' },
};

const L = {
  heading: { id: 'Pengembalian', en: 'Return' },
  progress: { id: 'Kemajuan pengembalian', en: 'Progress of the return' },
  about: { id: 'Ringkasan', en: 'Summary' },
  order: { id: 'Pesanan', en: 'Order' },
  asked: { id: 'Diminta pada', en: 'Asked for on' },
  wanted: { id: 'Yang Anda inginkan', en: 'What you want' },
  resolved: { id: 'Yang dipilih', en: 'What was chosen' },
  replacement: { id: 'Pesanan pengganti', en: 'Replacement order' },
  exchange: { id: 'Ditukar dengan', en: 'Exchanged for' },
  items: { id: 'Barang', en: 'Items' },
  found: { id: 'ditemukan', en: 'found' },
  said: { id: 'Percakapan', en: 'What was said' },
  label: { id: 'Label pengiriman', en: 'Label' },
  labelPdf: { id: 'Buka label (PDF)', en: 'Open the label (PDF)' },
  labelHow: {
    id: 'Cetak label dan tempelkan pada paket. Tanpa pencetak, tunjukkan kode ini di tempat penyerahan.',
    en: 'Print the label and put it on the parcel. Without a printer, show this code where you hand the parcel in.',
  },
  labelSoon: {
    id: 'Label sedang disiapkan. Muat ulang halaman ini beberapa menit lagi.',
    en: 'The label is being prepared. Load this page again in a few minutes.',
  },
  qr: { id: 'Kode QR nomor resi', en: 'QR code of the tracking number' },
  carrier: { id: 'Kurir', en: 'Carrier' },
  tracking: { id: 'Nomor resi', en: 'Tracking number' },
  statement: { id: 'Rincian', en: 'Statement' },
  goods: { id: 'harga dengan pajak', en: 'price with tax' },
  shipping: { id: 'ongkos kirim', en: 'shipping' },
  youGet: { id: 'Anda memperoleh', en: 'You get' },
  noDeductions: { id: 'Tidak ada potongan.', en: 'Nothing is taken off.' },
  accepted: { id: 'Rincian ini sudah Anda setujui.', en: 'You have accepted this statement.' },
  disputed: {
    id: 'Anda menyanggah rincian ini. Orang lain daripada yang memeriksa menjawab Anda; sementara itu tidak ada waktu yang berjalan.',
    en: 'You dispute this statement. Somebody else than who inspected it answers you; no time runs meanwhile.',
  },
  accept: { id: 'Saya setuju', en: 'I accept' },
  dispute: { id: 'Saya tidak setuju', en: 'I do not agree' },
  disputeWhy: { id: 'Mengapa Anda tidak setuju?', en: 'Why do you not agree?' },
  choose: { id: 'Pilih penggantian', en: 'Choose what you get' },
  chooseThis: { id: 'Pilih ini', en: 'Choose this' },
  exchangeFor: { id: 'Barang penukar (hanya untuk penukaran)', en: 'In exchange for (only for an exchange)' },
  none: { id: '–', en: '–' },
  answer: { id: 'Jawab pertanyaan', en: 'Answer the question' },
  yourAnswer: { id: 'Jawaban Anda', en: 'Your answer' },
  send: { id: 'Kirim', en: 'Send' },
  photos: { id: 'Foto', en: 'Photographs' },
  photo: {
    id: 'Tambah foto (JPEG, PNG atau WebP, paling besar 10 MB)',
    en: 'Add a photograph (JPEG, PNG or WebP, at most 10 MB)',
  },
  upload: { id: 'Unggah', en: 'Upload' },
  ofShop: { id: 'foto pemeriksaan', en: 'photograph of the inspection' },
  scanning: { id: 'sedang diperiksa pemindai virus', en: 'the virus scanner is looking at it' },
  infected: {
    id: 'tidak diterima: pemindai virus menemukan perangkat lunak berbahaya di dalamnya',
    en: 'not accepted: the virus scanner found malware in it',
  },
  ofYours: { id: 'foto Anda', en: 'your photograph' },
  cancel: { id: 'Batalkan pengembalian', en: 'Cancel the return' },
  cancelNote: {
    id: 'Barangnya tetap pada Anda dan tidak ada uang yang kembali. Jangan membatalkan bila paketnya sudah dikirim.',
    en: 'The items stay with you and nothing is refunded. Do not cancel if the parcel has left already.',
  },
  otherwise: { id: 'Tanpa kabar dari Anda', en: 'If we hear nothing' },
  closed: { id: 'pengembalian ditutup', en: 'the return is closed' },
  until: {
    info_requested: { id: 'Jawab paling lambat', en: 'Answer by' },
    awaiting_shipment: { id: 'Serahkan paketnya paling lambat', en: 'Hand the parcel in by' },
    resolution_pending: { id: 'Putuskan paling lambat', en: 'Decide by' },
  },
} as const;

/** Longest texts that a customer may write. */
export const WORDS_MAX = 2000;

export interface ReturnPageInput {
  readonly it: ReturnOnPage;
  /** Of the link: what stands in the address. */
  readonly token: string;
  /** Of the forms of the page: a second press is the same request. */
  readonly key: string;
  /** SVG as a data URL; null = there is no number yet. */
  readonly qr: string | null;
  /** What may be had in exchange, in the reader's language. */
  readonly products: readonly ShopOption[];
  readonly done?: ReturnAct | undefined;
  readonly problems?: readonly string[] | undefined;
  /** What stood in the form that did not go through. */
  readonly typed?: Readonly<Record<string, string>>;
}

export function returnPage(input: ReturnPageInput, locale: Locale): string {
  const { it, token, done, problems } = input;
  return shopPage(
    {
      heading: `${L.heading[locale]} ${it.number}`,
      path: `/returns/${token}`,
      banner: RETURN_BANNERS[it.state],
      done: done && DONE[done][locale],
      problems,
      progress: L.progress[locale],
      steps: stepsOf(STEPS, STEP_OF[it.state], locale),
      sections: [
        ...answerSection(input, locale),
        ...labelSection(input, locale),
        ...statementSection(input, locale),
        ...chooseSection(input, locale),
        aboutSection(it, locale),
        itemsSection(it, locale),
        ...saidSection(it, locale),
        ...photoSection(input, locale),
        ...cancelSection(input, locale),
      ],
    },
    locale,
  );
}

const hears = ({ state }: ReturnOnPage, kind: ReturnMessageKind): boolean => HEARD_IN[kind].includes(state);
const say = ({ currency }: ReturnOnPage, amountMinor: bigint): string => formatMoney(money(amountMinor, currency));

const form = (
  { token, key }: ReturnPageInput,
  act: ReturnAct,
  locale: Locale,
  rest: Pick<ShopForm, 'button'> & Partial<ShopForm> & { readonly fields?: readonly ShopField[] },
): ShopForm => {
  const { fields = [], hidden = {}, ...more } = rest;
  return {
    action: `/returns/${token}/${act}?lang=${locale}`,
    groups: [{ fields }],
    ...more,
    hidden: { key, ...hidden },
  };
};

function deadlineFacts(it: ReturnOnPage, locale: Locale): (readonly [string, string])[] {
  const at = returnDeadline({ ...it, units: countStates(it.units) }, Date.now());
  const { state } = it;
  if (at === null || (state !== 'info_requested' && state !== 'awaiting_shipment' && state !== 'resolution_pending')) {
    return [];
  }
  const otherwise =
    state === 'resolution_pending' ? RESOLUTION_WORDS[it.policy.defaultResolution][locale] : L.closed[locale];
  return [
    [L.until[state][locale], instantOf(new Date(at), locale, it.zone)],
    [L.otherwise[locale], otherwise],
  ];
}

function answerSection(input: ReturnPageInput, locale: Locale): Section[] {
  const { it, typed = {} } = input;
  if (!hears(it, 'provide_info')) return [];
  const question = it.words.findLast(({ kind }) => kind === 'request_info');
  const field: ShopField = {
    kind: 'area',
    name: 'answer',
    label: L.yourAnswer[locale],
    value: typed['answer'] ?? '',
    maxLength: WORDS_MAX,
  };
  return [
    {
      title: L.answer[locale],
      facts: deadlineFacts(it, locale),
      texts: question ? [question.text] : [],
      forms: [form(input, 'answer', locale, { fields: [field], button: L.send[locale] })],
    },
  ];
}

const LABELLED: readonly ReturnState[] = ['label_pending', 'awaiting_shipment', 'in_transit'];

function labelSection({ it, token, qr }: ReturnPageInput, locale: Locale): Section[] {
  if (!LABELLED.includes(it.state)) return [];
  const parcel: (readonly [string, string])[] =
    it.carrier && it.trackingNumber
      ? [
          [L.carrier[locale], it.carrier],
          [L.tracking[locale], it.trackingNumber],
        ]
      : [];
  const hasLabel = it.labelSha256 !== null && it.state !== 'in_transit';
  return [
    {
      title: L.label[locale],
      facts: [...deadlineFacts(it, locale), ...parcel],
      texts: it.state === 'label_pending' ? [L.labelSoon[locale]] : hasLabel ? [L.labelHow[locale]] : [],
      pictures: hasLabel && qr ? [{ src: qr, alt: L.qr[locale] }] : [],
      links: hasLabel ? [{ href: `/returns/${token}/label.pdf`, label: L.labelPdf[locale], isMain: true }] : [],
    },
  ];
}

const isAccepted = ({ statement, acceptedVersion }: ReturnOnPage): boolean =>
  statement !== null && acceptedVersion === statement.version;
const waitsForAccept = (it: ReturnOnPage): boolean =>
  it.statement !== null && it.statement.deductions.length > 0 && !isAccepted(it) && hears(it, 'accept_deduction');

function statementSection(input: ReturnPageInput, locale: Locale): Section[] {
  const { it } = input;
  const { statement } = it;
  if (!statement) return [];
  const texts = [
    ...(statement.deductions.length === 0 ? [L.noDeductions[locale]] : []),
    ...(it.disputedAt !== null && it.state === 'resolution_pending' ? [L.disputed[locale]] : []),
    ...(isAccepted(it) && statement.deductions.length > 0 ? [L.accepted[locale]] : []),
  ];
  return [
    {
      title: L.statement[locale],
      rows: [
        ...statement.lines.map(({ name, quantity, goodsMinor, shippingMinor }) => ({
          title: quantity > 0 ? `${quantity} × ${name[locale]}` : name[locale],
          lines: [
            `${L.goods[locale]}: ${say(it, goodsMinor)}`,
            ...(shippingMinor > 0n ? [`${L.shipping[locale]}: ${say(it, shippingMinor)}`] : []),
          ],
          amount: say(it, goodsMinor + shippingMinor),
        })),
        ...statement.deductions.map(({ name, quantity, reason, amountMinor }) => ({
          title: reason[locale],
          lines: [`${quantity} × ${name[locale]}`],
          amount: `−${say(it, amountMinor)}`,
        })),
        { title: L.youGet[locale], lines: [], amount: say(it, statement.refundMinor) },
      ],
      texts,
      forms: waitsForAccept(it) && it.disputedAt === null ? verdictForms(input, statement.version, locale) : [],
    },
  ];
}

function verdictForms(input: ReturnPageInput, version: number, locale: Locale): ShopForm[] {
  const why: ShopField = {
    kind: 'area',
    name: 'reason',
    label: L.disputeWhy[locale],
    value: input.typed?.['reason'] ?? '',
    maxLength: WORDS_MAX,
  };
  return [
    form(input, 'accept', locale, { hidden: { version: String(version) }, button: L.accept[locale] }),
    form(input, 'dispute', locale, { fields: [why], button: L.dispute[locale], isQuiet: true }),
  ];
}

function chooseSection(input: ReturnPageInput, locale: Locale): Section[] {
  const { it, typed = {}, products } = input;
  if (!hears(it, 'resolve') || it.disputedAt !== null || waitsForAccept(it)) return [];
  const chosen = typed['resolution'] ?? it.wanted;
  const fields: ShopField[] = [
    {
      kind: 'radio',
      name: 'resolution',
      label: L.choose[locale],
      value: chosen,
      options: RESOLUTIONS.filter((one) => one !== 'exchange' || products.length > 0).map((value) => ({
        value,
        label: RESOLUTION_WORDS[value][locale],
      })),
    },
    ...exchangeField(products, typed['exchangeSku'] ?? it.exchangeSku ?? '', locale),
  ];
  return [
    {
      title: L.choose[locale],
      facts: deadlineFacts(it, locale),
      forms: [
        form(input, 'choose', locale, {
          groups: [{ legend: L.choose[locale], fields }],
          button: L.chooseThis[locale],
        }),
      ],
    },
  ];
}

export const exchangeField = (products: readonly ShopOption[], value: string, locale: Locale): ShopField[] =>
  products.length === 0
    ? []
    : [
        {
          kind: 'select',
          name: 'exchangeSku',
          label: L.exchangeFor[locale],
          value,
          options: [{ value: '', label: L.none[locale] }, ...products],
        },
      ];

function aboutSection(it: ReturnOnPage, locale: Locale): Section {
  return {
    title: L.about[locale],
    facts: [
      [L.order[locale], it.orderNumber],
      [L.asked[locale], instantOf(it.requestedAt, locale, it.zone)],
      it.resolution === null
        ? [L.wanted[locale], RESOLUTION_WORDS[it.wanted][locale]]
        : [L.resolved[locale], RESOLUTION_WORDS[it.resolution][locale]],
      ...(it.exchangeSku === null ? [] : [[L.exchange[locale], it.exchangeSku] as const]),
      ...(it.replacementNumber === null ? [] : [[L.replacement[locale], it.replacementNumber] as const]),
    ],
  };
}

const itemsSection = (it: ReturnOnPage, locale: Locale): Section => ({
  title: L.items[locale],
  rows: it.units.map(({ name, quantity, state, reason, condition }) => ({
    title: `${quantity} × ${name[locale]}`,
    lines: [
      RETURN_REASON_WORDS[reason][locale],
      UNIT_WORDS[state][locale],
      ...(condition === null ? [] : [`${L.found[locale]}: ${CONDITION_WORDS[condition][locale].toLowerCase()}`]),
    ],
  })),
});

const saidSection = (it: ReturnOnPage, locale: Locale): Section[] =>
  it.words.length === 0
    ? []
    : [
        {
          title: L.said[locale],
          rows: it.words.map(({ kind, text, at }) => ({
            title: SAID[kind][locale],
            lines: [text, instantOf(at, locale, it.zone)],
          })),
        },
      ];

/** Until somebody has looked at the goods themselves. */
const SHOWS_PHOTOS: readonly ReturnState[] = [
  'requested',
  'under_review',
  'info_requested',
  'approved',
  'label_pending',
  'awaiting_shipment',
];

const isShown = ({ scanState }: PagePhoto): boolean => scanState === 'clean' || scanState === 'not_scanned';
const nameOf = ({ kind, filename }: PagePhoto, locale: Locale): string =>
  `${(kind === 'claim' ? L.ofYours : L.ofShop)[locale]}: ${filename}`;
const whyHidden = (photo: PagePhoto, locale: Locale): string =>
  `${nameOf(photo, locale)} – ${(photo.scanState === 'infected' ? L.infected : L.scanning)[locale]}`;

function photoSection(input: ReturnPageInput, locale: Locale): Section[] {
  const { it, token } = input;
  const takes = SHOWS_PHOTOS.includes(it.state);
  if (!takes && it.photos.length === 0) return [];
  return [
    {
      title: L.photos[locale],
      pictures: it.photos.filter(isShown).map((photo) => ({
        src: `/returns/${token}/photos/${photo.id}`,
        alt: nameOf(photo, locale),
      })),
      texts: it.photos.filter((photo) => !isShown(photo)).map((photo) => whyHidden(photo, locale)),
      forms: takes
        ? [
            form(input, 'photos', locale, {
              isMultipart: true,
              fields: [
                { kind: 'file', name: 'file', label: L.photo[locale], accept: 'image/jpeg,image/png,image/webp' },
              ],
              button: L.upload[locale],
            }),
          ]
        : [],
    },
  ];
}

const cancelSection = (input: ReturnPageInput, locale: Locale): Section[] =>
  hears(input.it, 'cancel')
    ? [
        {
          title: L.cancel[locale],
          texts: [L.cancelNote[locale]],
          forms: [form(input, 'cancel', locale, { button: L.cancel[locale], isQuiet: true })],
        },
      ]
    : [];
