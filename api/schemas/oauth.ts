import { z } from 'zod';

/** RFC 6749, section 5.1. */
export const tokenAnswer = z
  .object({
    access_token: z.string().describe('A JWT; send it as Authorization: Bearer.'),
    token_type: z.literal('Bearer'),
    expires_in: z.int().describe('Seconds.'),
    scope: z.string().describe('Separated by spaces.'),
  })
  .meta({ id: 'OAuthToken' });

/** RFC 6749, section 5.2. */
export const tokenError = z
  .object({
    error: z.enum(['invalid_request', 'invalid_client', 'invalid_scope', 'unsupported_grant_type']),
    error_description: z.string(),
  })
  .meta({ id: 'OAuthError' });

/** RFC 8414. */
export const serverMetadata = z
  .object({
    issuer: z.url(),
    token_endpoint: z.url(),
    jwks_uri: z.url(),
    grant_types_supported: z.array(z.string()),
    response_types_supported: z.array(z.string()),
    token_endpoint_auth_methods_supported: z.array(z.string()),
    scopes_supported: z.array(z.string()),
    service_documentation: z.url(),
  })
  .meta({ id: 'OAuthServer' });
