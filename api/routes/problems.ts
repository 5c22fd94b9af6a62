/** The pages that a problem's `type` points to. */
import { z } from 'zod';
import { FAILURE_CODES, type FailureCode } from '../../domain/failures.ts';
import { PROBLEM_TYPES } from '../errors.ts';
import { defineRoute, html, type Route } from '../route.ts';

const explainProblem = defineRoute({
  method: 'get',
  path: '/problems/:code',
  base: 'root',
  summary: 'What a refusal means, for people',
  tags: ['Plumbing'],
  permission: 'public',
  params: z.object({ code: z.enum(FAILURE_CODES) }),
  responses: { 200: { description: 'A page.', contentType: 'text/html' } },
  handler: async ({ params, locale }) => html(200, pageFor(params.code, locale)),
});

// Nothing in it comes from a request: the code is one of ours, the sentences are the table's.
function pageFor(code: FailureCode, locale: 'id' | 'en'): string {
  const { status, title, detail } = PROBLEM_TYPES[code];
  return `<!doctype html>
<html lang="${locale}">
<head><meta charset="utf-8"><title>${title[locale]} · Alur</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}code{color:#555}</style></head>
<body>
<h1>${title[locale]}</h1>
<p>${detail[locale]}</p>
<p><code>${code}</code> · HTTP ${status}</p>
</body>
</html>`;
}

export const problemRoutes: readonly Route[] = [explainProblem];
