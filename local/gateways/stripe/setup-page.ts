/** The page on which a card is given: a button for each test card, where Stripe has a form. */
import { type Request, Router } from 'express';
import Handlebars from 'handlebars';
import type { Locale } from '../pay-page-frame.ts';
import { ImpossibleEvent } from '../sandbox.ts';
import { type Setup, TEST_CARD_NUMBERS, TEST_CARDS, type TestCard } from './setups.ts';

const WORDS = {
  id: {
    title: 'Simpan kartu',
    sandbox: 'Kotak pasir: bukan kartu sungguhan, dan tidak ada uang yang berpindah.',
    open: 'Pilih kartu uji',
    complete: 'Kartu tersimpan.',
    expired: 'Halaman ini sudah kedaluwarsa.',
    back: 'Kembali ke penjual',
    none: 'Halaman ini tidak ada. Periksa tautannya.',
    good: 'berhasil ditagih',
  },
  en: {
    title: 'Add a card',
    sandbox: 'Sandbox: no real card, and no real money moves.',
    open: 'Choose a test card',
    complete: 'The card is stored.',
    expired: 'This page has expired.',
    back: 'Back to the merchant',
    none: 'There is no such page. Check the link.',
    good: 'can be charged',
  },
} as const;

const PAGE = Handlebars.compile(`<!doctype html>
<html lang="{{locale}}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>{{words.title}}</title>
<style>
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:28rem;padding:1rem}
button,.back{display:block;box-sizing:border-box;width:100%;min-height:3rem;margin:.5rem 0;padding:.6rem 1rem;border:1px solid #8888;border-radius:.5rem;font:inherit;text-align:center;text-decoration:none;cursor:pointer}
</style>
</head>
<body>
<h1>{{words.title}}</h1>
<p>{{words.sandbox}}</p>
<p role="status"><strong>{{outcome}}</strong></p>
{{#if notice}}<p role="alert">{{notice}}</p>{{/if}}
{{#each cards}}<form method="post" action="{{../action}}/card?lang={{../locale}}"><button name="card" value="{{number}}">{{brand}} •••• {{number}}: {{becomes}}</button></form>
{{/each}}
{{#if back}}<a class="back" href="{{back}}">{{words.back}}</a>{{/if}}
</body>
</html>
`);

export interface SetupPages {
  /** As of now. */
  find(id: string): Setup | undefined;
  url(setup: Setup): string;
  /** @throws ImpossibleEvent */
  give(setup: Setup, card: TestCard): Promise<void>;
}

export function setupPageRoutes({ find, url, give }: SetupPages): Router {
  const router = Router();
  router.get('/c/setup/:id', (req, res) => {
    const setup = find(req.params.id);
    const locale = localeOf(req, setup?.locale ?? 'id');
    res.set('Cache-Control', 'no-store');
    if (!setup) return void res.status(404).send(PAGE({ locale, words: WORDS[locale], outcome: WORDS[locale].none }));
    res.send(render(setup, locale, url(setup)));
  });
  router.post('/c/setup/:id/card', async (req, res) => {
    const setup = find(req.params.id);
    const locale = localeOf(req, setup?.locale ?? 'id');
    const card = TEST_CARD_NUMBERS.find((number) => number === req.body?.card);
    if (!setup || !card)
      return void res.status(404).send(PAGE({ locale, words: WORDS[locale], outcome: WORDS[locale].none }));
    try {
      await give(setup, card);
    } catch (error) {
      if (!(error instanceof ImpossibleEvent)) throw error;
      return void res.status(409).send(render(find(setup.id) ?? setup, locale, url(setup), error.message));
    }
    res.redirect(303, `${url(setup)}?lang=${locale}`);
  });
  return router;
}

function render(setup: Setup, locale: Locale, action: string, notice?: string): string {
  const words = WORDS[locale];
  return PAGE({
    locale,
    words,
    action,
    notice,
    outcome: words[setup.status],
    back: setup.status === 'complete' ? setup.successUrl : setup.cancelUrl,
    cards: setup.status === 'open' ? TEST_CARD_NUMBERS.map((number) => choice(number, words.good)) : [],
  });
}

function choice(number: TestCard, good: string) {
  const { brand, declines } = TEST_CARDS[number];
  return { number, brand, becomes: declines ?? good };
}

const localeOf = (req: Request, otherwise: Locale): Locale =>
  req.query.lang === 'en' || req.query.lang === 'id' ? req.query.lang : otherwise;
