/**
 * A card on file, from the page on which it is given until it is stored, or until nobody gives one any more; and, as another
 * run under the same ID, until the gateway has forgotten it. Histories hold IDs and the address of the page, which takes a
 * card and shows none.
 */
import {
  allHandlersFinished,
  condition,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { CardSetupState } from '../domain/cards.ts';
import type { Refusal } from '../domain/licensing.ts';
import { clock, orNull, refusal, refused } from './answers.ts';
import { atGateways } from './gateways.ts';
import {
  type CardInput,
  type CardPage,
  cardPageUpdate,
  type ForgetCardInput,
  lookAgainSignal,
  lookForCardUpdate,
} from './messages.ts';
import {
  CARD_LOOKS_AFTER_EXPIRY_MS,
  CARD_LOOKS_AFTER_MS,
  forgetting,
  lookUps,
  openings,
  REMOVAL_COMMITTED_WITHIN_MS,
  records,
} from './policies.ts';

const { openCardSetup } = atGateways({ ...openings, summary: 'Open a page for a card at the gateway' });
const { confirmCardSetup } = atGateways({ ...lookUps, summary: 'Ask whether a card was given' });
const { giveUpCardSetup } = proxyActivities<Activities>({ ...records, summary: 'Wait for the card no longer' });
const { detachCard } = atGateways({ ...forgetting, summary: 'Have the gateway forget the card' });

export async function addCard(input: CardInput): Promise<{ state: CardSetupState }> {
  const { cardId: id } = input;
  let page: CardPage | Refusal | null = null;
  let state: CardSetupState = 'created';
  let asked = 0;
  let answered = 0;

  setHandler(cardPageUpdate, async () => {
    await condition(() => page !== null);
    return granted(page);
  });
  setHandler(lookForCardUpdate, async () => {
    asked += 1;
    const mine = asked;
    await condition(() => answered >= mine);
    return { state };
  });
  setHandler(lookAgainSignal, () => {
    asked += 1;
  });

  const { companyId, by, locale, startedAt: at, expiresAt } = input;
  const opened = await orNull(openCardSetup({ id, companyId, by, locale, at, expiresAt }));
  if (opened?.outcome === 'open') {
    page = opened;
    state = await givenOrOver(Date.parse(opened.expiresAt));
  } else page = opened ? REFUSED : AWAY;
  if (state !== 'completed') {
    await giveUpCardSetup({ id, at: clock() });
    state = 'expired';
  }
  answered = Number.POSITIVE_INFINITY;
  setCurrentDetails(`The card is **${state}**.`);
  await condition(allHandlersFinished);
  return { state };

  /** Asks when somebody says so, when a payer usually is through, and after the page has closed. */
  async function givenOrOver(closesAt: number): Promise<CardSetupState> {
    state = 'open';
    const from = Date.now();
    const looks = [
      ...CARD_LOOKS_AFTER_MS.map((after) => from + after).filter((look) => look < closesAt),
      ...CARD_LOOKS_AFTER_EXPIRY_MS.map((after) => closesAt + after),
    ];
    while (state === 'open' && (looks.length > 0 || asked > answered)) {
      const wait = Math.max(1, (looks[0] ?? Date.now()) - Date.now());
      await condition(() => asked > answered, wait, { summary: 'Ask the gateway whether a card was given' });
      while (looks[0] !== undefined && looks[0] <= Date.now()) looks.shift();
      const upTo = asked;
      state = (await orNull(confirmCardSetup({ id, at: clock() })))?.state ?? state;
      answered = upTo;
    }
    return state;
  }
}

/** For ever: a card that somebody took off must not stay chargeable because the gateway was away. */
export async function forgetCard({ cardId }: ForgetCardInput): Promise<void> {
  // It starts a moment before the removal is committed; one that never is was taken back.
  for (const waitMs of REMOVAL_COMMITTED_WITHIN_MS) {
    if ((await detachCard({ id: cardId })).isForgotten) return;
    await sleep(waitMs, { summary: 'Wait until the removal is on record' });
  }
}

const REFUSED = refusal(
  'gateway_not_available',
  'No gateway here keeps cards on file. Pay by the links in the letters.',
);
const AWAY = refusal('gateway_unavailable', 'The gateway does not answer. Try again in a few minutes.', {
  retryAfterSeconds: 60,
});

function granted(page: CardPage | Refusal | null): CardPage {
  if (page === null) throw new Error('nothing was decided');
  if ('code' in page) throw refused(page);
  return { setupUrl: page.setupUrl, expiresAt: page.expiresAt };
}
