/** What browsers report when a content security policy kept something from a page. */
import { z } from 'zod';
import { Failure } from '../../domain/failures.ts';
import { cspViolations } from '../metrics.ts';
import { CSP_REPORTS_PATH } from '../middleware/security-headers.ts';
import { defineRoute, noContent } from '../route.ts';
import { parseStrictJson } from '../strict-json.ts';

const TYPES = ['application/csp-report', 'application/reports+json'];
/** Of one report; a browser that has more sends them in several. */
const MAX_REPORTS = 20;

const text = z.string().max(4_000);
/** As `report-uri` sends it. */
const legacy = z.object({
  'csp-report': z
    .object({
      'effective-directive': text.optional(),
      'violated-directive': text.optional(),
      'blocked-uri': text.optional(),
      'document-uri': text.optional(),
      'source-file': text.optional(),
      disposition: text.optional(),
    })
    .transform((report) => ({
      directive: report['effective-directive'] ?? report['violated-directive'],
      blocked: report['blocked-uri'],
      document: report['document-uri'],
      source: report['source-file'],
      disposition: report.disposition,
    })),
});
/** As `report-to` sends it: reports of other kinds may be among them. */
const modern = z
  .array(
    z.object({
      type: text,
      body: z.looseObject({}),
    }),
  )
  .max(MAX_REPORTS);
const violation = z
  .object({
    effectiveDirective: text.optional(),
    blockedURL: text.optional(),
    documentURL: text.optional(),
    sourceFile: text.nullish(),
    disposition: text.optional(),
  })
  .transform((body) => ({
    directive: body.effectiveDirective,
    blocked: body.blockedURL,
    document: body.documentURL,
    source: body.sourceFile ?? undefined,
    disposition: body.disposition,
  }));
type Violation = z.output<typeof violation>;

const report = defineRoute({
  method: 'post',
  base: 'root',
  path: CSP_REPORTS_PATH,
  summary: 'For browsers: what a content security policy kept from a page',
  description: `Takes ${TYPES.join(' and ')}.`,
  tags: ['System'],
  permission: 'public',
  idempotent: false,
  raw: true,
  maxBytes: 16_000,
  responses: { 204: { description: 'Noted' } },
  async handler({ rawBody, deps, req }) {
    if (!req.is(TYPES)) throw new Failure('unsupported_media_type', `Send ${TYPES.join(' or ')}.`);
    for (const found of violationsOf(parseStrictJson(rawBody))) {
      const fields = loggedFields(found);
      cspViolations.inc({ directive: fields.directive });
      deps.logger.warn({ requestId: req.requestId, ...fields }, 'a browser reports a violation of a page’s policy');
    }
    return noContent();
  },
});

export const cspReportRoutes = [report];

/** Extensions and old browsers send all kinds of things; what cannot be read is nobody's mistake to mend. */
function violationsOf(body: unknown): Violation[] {
  const old = legacy.safeParse(body);
  if (old.success) return [old.data['csp-report']];
  const reports = modern.safeParse(body);
  if (!reports.success) return [];
  return reports.data.flatMap(({ type, body }) => {
    const parsed = type === 'csp-violation' ? violation.safeParse(body) : undefined;
    return parsed?.success ? [parsed.data] : [];
  });
}

/** The names that a policy knows: anybody can send a report, and each new label would stay in the metrics for ever. */
const DIRECTIVES = new Set(
  'default-src script-src script-src-elem script-src-attr style-src style-src-elem style-src-attr img-src connect-src font-src frame-src frame-ancestors form-action base-uri object-src media-src manifest-src worker-src child-src'.split(
    ' ',
  ),
);

function loggedFields({ directive = '', blocked, document, source, disposition }: Violation) {
  const name = directive.split(' ', 1)[0] ?? '';
  return {
    directive: DIRECTIVES.has(name) ? name : 'other',
    blocked: place(blocked),
    document: page(document),
    source: place(source),
    disposition: disposition === 'report' ? 'report' : 'enforce',
  };
}

/** Where an address leads, or the word that stands in its place (`inline`, `eval`): paths and queries may be secret. */
function place(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  if (!URL.canParse(address)) return /^[a-z-]{1,20}$/.exec(address)?.[0] ?? 'other';
  const { protocol, origin } = new URL(address);
  if (protocol === 'https:' || protocol === 'http:') return origin.slice(0, 200);
  return OTHER_SCHEMES.has(protocol) ? protocol : 'other';
}

const OTHER_SCHEMES = new Set(['data:', 'blob:', 'about:', 'chrome-extension:', 'moz-extension:', 'safari-extension:']);

/** `/pay` and not whose invoice: who has the whole address of such a page may see it. */
function page(address: string | undefined): string | undefined {
  if (address === undefined || !URL.canParse(address)) return undefined;
  return /^\/[a-z-]{0,20}/.exec(new URL(address).pathname)?.[0];
}
