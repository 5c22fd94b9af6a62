/** What machines and operators ask: health, metrics, keys, the OpenAPI document and its reader. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import express, { type RequestHandler, Router } from 'express';
import type { ApiDeps } from './deps.ts';
import { createHealth } from './health.ts';
import type { Metrics } from './metrics.ts';
import { CSP_REPORTING } from './middleware/security-headers.ts';
import type { OpenApiDocument } from './openapi.ts';

export function plumbing(
  deps: ApiDeps,
  parts: { metrics: Metrics; openApi: () => OpenApiDocument; isDraining: () => boolean },
) {
  const router = Router();
  // Made when it is first asked for: it takes a tenth of a second, and few ask.
  let openApi: OpenApiDocument | undefined;
  const ready = createHealth(deps);
  router.use(named);
  router.get('/health/live', (_req, res) => {
    res.json({ status: 'ok' });
  });
  router.get('/health/ready', async (_req, res) => {
    const checks = parts.isDraining() ? { api: 'draining' as const } : await ready();
    const ok = Object.values(checks).every((state) => state === 'ok');
    res.status(ok ? 200 : 503).json({ status: ok ? 'ok' : 'unavailable', checks });
  });
  router.get('/metrics', async (_req, res) => {
    res.type(parts.metrics.registry.contentType).send(await parts.metrics.registry.metrics());
  });
  router.get('/openapi.json', (_req, res) => {
    openApi ??= parts.openApi();
    res.json(openApi);
  });
  router.get('/.well-known/jwks.json', (_req, res) => {
    res.set('Cache-Control', 'public, max-age=300').json(deps.tokens.jwks);
  });
  router.get('/.well-known/audit-keys.json', (_req, res) => {
    res.set('Cache-Control', 'public, max-age=300').json({ keys: [deps.auditKey] });
  });
  router.use('/docs', docs());
  return router;
}

/** These paths are their own patterns in the log. */
const named: RequestHandler = (req, _res, next) => {
  if (/^\/(?:health|metrics|openapi|docs|\.well-known)/.test(req.path))
    req.pattern = req.path.replace(/^\/docs\/.*/, '/docs/*');
  next();
};

// Swagger UI writes style attributes; everything else that it needs comes from here, none of it from elsewhere.
const DOCS_POLICY = `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; ${CSP_REPORTING}`;

function docs(): Router {
  const router = Router();
  router.use((_req, res, next) => {
    res.set('Content-Security-Policy', DOCS_POLICY);
    next();
  });
  router.get('/', (_req, res) => {
    res.type('html').send(DOCS_PAGE);
  });
  router.get('/start.js', (_req, res) => {
    res.type('js').send(DOCS_SCRIPT);
  });
  const files = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  router.use(express.static(files, { index: false }));
  return router;
}

const DOCS_PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Alur API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="api"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>`;

const DOCS_SCRIPT = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, persistAuthorization: false });`;
