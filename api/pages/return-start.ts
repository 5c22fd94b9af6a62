/** The form by which a return is asked for: items, why, and what the customer wants. */
import type { OrderOnPage, PageItem } from '../../db/shop-page-reads.ts';
import { CONDITIONS, RESOLUTIONS, RETURN_REASONS, type ReturnPolicy } from '../../domain/returns.ts';
import { CONDITION_WORDS, RESOLUTION_WORDS, RETURN_REASON_WORDS } from '../../domain/shop-words.ts';
import type { Locale } from '../request.ts';
import { type Banner, instantOf, type Words } from './layout.ts';
import { returnableOf } from './order-page.ts';
import { exchangeField } from './return-page.ts';
import { type Section, type ShopField, type ShopOption, shopPage } from './shop-layout.ts';

const BANNER: Banner = {
  tone: 'waiting',
  word: { id: 'MINTA PENGEMBALIAN', en: 'ASK FOR A RETURN' },
  meaning: {
    id: 'Pilih barangnya dan alasannya. Kami menjawab lewat e-mail; sebelum itu mohon jangan mengirim apa pun.',
    en: 'Choose the items and say why. We answer by e-mail; please do not send anything before.',
  },
};
const NOTHING: Banner = {
  tone: 'neutral',
  word: { id: 'TIDAK ADA YANG DAPAT DIKEMBALIKAN', en: 'NOTHING CAN BE RETURNED' },
  meaning: {
    id: 'Barang dari pesanan ini belum tiba, waktunya sudah lewat, atau sudah ada pengembaliannya. Bila ada yang salah, hubungi kami.',
    en: 'The items of this order have not arrived yet, their time is over, or they are in a return already. If something is wrong, tell us.',
  },
};

const L = {
  heading: { id: 'Pengembalian dari pesanan', en: 'Return of order' },
  what: { id: 'Barang', en: 'Items' },
  howMany: { id: 'Berapa yang dikembalikan', en: 'How many' },
  why: { id: 'Alasan', en: 'Why' },
  condition: { id: 'Keadaannya sekarang', en: 'What it is like now' },
  until: { id: 'Dapat dikembalikan sampai', en: 'Can be returned until' },
  faultOnly: {
    id: 'Dijual tanpa hak pengembalian: hanya diterima kembali bila barangnya bermasalah.',
    en: 'Sold without a right to return: taken back only when something is wrong with it.',
  },
  choose: { id: 'Pilih …', en: 'Choose …' },
  wanted: { id: 'Yang Anda inginkan', en: 'What you want' },
  send: { id: 'Minta pengembalian', en: 'Ask for the return' },
  photosLater: {
    id: 'Foto dapat ditambahkan pada halaman berikutnya.',
    en: 'You can add photographs on the next page.',
  },
  back: { id: 'Kembali ke pesanan', en: 'Back to the order' },
} as const satisfies Record<string, Words>;

export interface ReturnStartInput {
  readonly order: OrderOnPage;
  readonly token: string;
  readonly policy: ReturnPolicy;
  readonly now: Date;
  /** Of the form: a second press is the same return. */
  readonly key: string;
  readonly products: readonly ShopOption[];
  /** What stood in the form that did not go through. */
  readonly typed: Readonly<Record<string, string>>;
  /** The item that the link named. */
  readonly item?: string | undefined;
  readonly problems?: readonly string[] | undefined;
}

/** Fields of the form carry the item's ID: `quantity.<id>`. */
export const fieldOf = (name: 'quantity' | 'reason' | 'condition', { id }: Pick<PageItem, 'id'>): string =>
  `${name}.${id}`;

export function returnStartPage(input: ReturnStartInput, locale: Locale): string {
  const { order, token, problems } = input;
  const groups = order.items.flatMap((item) => itemGroup(input, item, locale));
  return shopPage(
    {
      heading: `${L.heading[locale]} ${order.number}`,
      path: `/orders/${token}/return`,
      banner: groups.length > 0 ? BANNER : NOTHING,
      problems,
      sections: [...(groups.length > 0 ? [formSection(input, groups, locale)] : []), backSection(token, locale)],
    },
    locale,
  );
}

type Group = { readonly legend: string; readonly note: string; readonly fields: readonly ShopField[] };

function itemGroup(
  { order, policy, now, typed, item: named }: ReturnStartInput,
  item: PageItem,
  locale: Locale,
): Group[] {
  const returnable = returnableOf(item, policy, now.getTime());
  if (!returnable) return [];
  const until = `${L.until[locale]} ${instantOf(new Date(returnable.until), locale, order.zone)}.`;
  const suggested = named === item.id || order.items.length === 1 ? '1' : '0';
  return [
    {
      legend: item.name[locale],
      note: returnable.isFaultOnly ? `${until} ${L.faultOnly[locale]}` : until,
      fields: [
        select('quantity', L.howMany, item, typed, suggested, numbersTo(returnable.units.length), locale),
        select('reason', L.why, item, typed, '', optionsOf(RETURN_REASONS, RETURN_REASON_WORDS, locale), locale),
        select('condition', L.condition, item, typed, '', optionsOf(CLAIMED, CONDITION_WORDS, locale), locale),
      ],
    },
  ];
}

/** Nobody says of an item that it is not ours. */
const CLAIMED = CONDITIONS.filter((one) => one !== 'not_ours');

const optionsOf = <Code extends string>(
  codes: readonly Code[],
  words: Readonly<Record<Code, Words>>,
  locale: Locale,
): ShopOption[] => [
  { value: '', label: L.choose[locale] },
  ...codes.map((value) => ({ value, label: words[value][locale] })),
];

const numbersTo = (most: number): ShopOption[] =>
  Array.from({ length: most + 1 }, (_, count) => ({ value: String(count), label: String(count) }));

function select(
  name: 'quantity' | 'reason' | 'condition',
  label: Words,
  item: PageItem,
  typed: Readonly<Record<string, string>>,
  first: string,
  options: readonly ShopOption[],
  locale: Locale,
): ShopField {
  const field = fieldOf(name, item);
  return { kind: 'select', name: field, label: label[locale], value: typed[field] ?? first, options };
}

function formSection(
  { token, key, typed, products }: ReturnStartInput,
  groups: readonly Group[],
  locale: Locale,
): Section {
  const wanted: ShopField = {
    kind: 'radio',
    name: 'wanted',
    label: L.wanted[locale],
    value: typed['wanted'] ?? 'refund',
    options: RESOLUTIONS.filter((one) => one !== 'exchange' || products.length > 0).map((value) => ({
      value,
      label: RESOLUTION_WORDS[value][locale],
    })),
  };
  return {
    title: L.what[locale],
    texts: [L.photosLater[locale]],
    forms: [
      {
        action: `/orders/${token}/return?lang=${locale}`,
        hidden: { key },
        groups: [
          ...groups,
          {
            legend: L.wanted[locale],
            fields: [wanted, ...exchangeField(products, typed['exchangeSku'] ?? '', locale)],
          },
        ],
        button: L.send[locale],
      },
    ],
  };
}

const backSection = (token: string, locale: Locale): Section => ({
  title: L.heading[locale],
  links: [{ href: `/orders/${token}?lang=${locale}`, label: L.back[locale] }],
});
