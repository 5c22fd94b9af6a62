/**
 * An S3 server in this process, over real HTTP, for what the store of files asks of one: put, get, head and delete an object,
 * by signed request or signed link (AWS Signature Version 4). It believes nothing: signature, age, body and checksum are checked.
 */
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { S3Settings } from '../../db/s3-files.ts';

const BUCKET = 'alur-files';
const CREDENTIALS = { accessKeyId: 'AKIATEST', secretAccessKey: 'a-secret-of-the-tests' };

export interface S3Server {
  readonly settings: S3Settings;
  /** Changes a stored file behind the server's back. */
  spoil(key: string, change: (content: Buffer) => Buffer): void;
  /** Of what is stored. */
  keys(): string[];
  /** How many times it was written to. */
  writes(): number;
  /** Nothing listens at its address any more, until `comeBack`. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  /** Answers everything with 503 SlowDown meanwhile. */
  beBusy(busy: boolean): void;
}

export async function startS3(prefix = ''): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  let server: Server | null = null;
  let port = 0;
  let writes = 0;
  let busy = false;

  const serve = async (req: IncomingMessage, res: ServerResponse) => {
    const body = await buffer(req);
    const url = new URL(req.url ?? '', 'http://localhost');
    const refusal = busy ? 'SlowDown' : refusalOf(req, url, body);
    if (refusal) return refuse(req, res, refusal);
    const [, bucket = '', ...rest] = url.pathname.split('/');
    const key = rest.join('/');
    if (bucket !== BUCKET) return refuse(req, res, 'NoSuchBucket');
    if (req.method === 'PUT') {
      writes += 1;
      objects.set(key, body);
      return res.writeHead(200).end();
    }
    if (req.method === 'DELETE') {
      objects.delete(key);
      return res.writeHead(204).end();
    }
    const object = objects.get(key);
    if (!object) return refuse(req, res, 'NoSuchKey');
    res.writeHead(200, { ...shownAs(url), 'Content-Length': object.length });
    return res.end(req.method === 'HEAD' ? undefined : object);
  };
  const listen = async () => {
    server = createServer((req, res) => void serve(req, res));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('the S3 server has no TCP port');
    ({ port } = address);
  };
  await listen();

  return {
    settings: {
      bucket: BUCKET,
      prefix,
      region: 'ap-southeast-3',
      endpoint: `http://127.0.0.1:${port}`,
      credentials: CREDENTIALS,
    },
    spoil: (key, change) => void objects.set(key, change(objects.get(key) ?? Buffer.alloc(0))),
    keys: () => [...objects.keys()],
    writes: () => writes,
    async goAway() {
      if (!server) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      server = null;
    },
    comeBack: listen,
    beBusy: (now) => {
      busy = now;
    },
  };
}

const STATUS = {
  AccessDenied: 403,
  SignatureDoesNotMatch: 403,
  BadDigest: 400,
  NoSuchKey: 404,
  NoSuchBucket: 404,
  SlowDown: 503,
} as const;
type Refusal = keyof typeof STATUS;

function refuse(req: IncomingMessage, res: ServerResponse, code: Refusal): void {
  res.writeHead(STATUS[code], { 'Content-Type': 'application/xml' });
  res.end(req.method === 'HEAD' ? undefined : `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`);
}

const shownAs = ({ searchParams }: URL): Record<string, string> =>
  Object.fromEntries(
    ['content-type', 'content-disposition', 'cache-control'].flatMap((name) => {
      const value = searchParams.get(`response-${name}`);
      return value === null ? [] : [[name, value]];
    }),
  );

function refusalOf(req: IncomingMessage, url: URL, body: Buffer): Refusal | null {
  const signed = url.searchParams.has('X-Amz-Signature') ? signedLink(url) : signedRequest(req);
  if (!signed) return 'AccessDenied';
  if (Date.now() > signed.until) return 'AccessDenied';
  if (signatureOf(req, url, signed) !== signed.signature) return 'SignatureDoesNotMatch';
  if (signed.payload !== 'UNSIGNED-PAYLOAD' && signed.payload !== sha256(body).toString('hex')) return 'BadDigest';
  const checksum = req.headers['x-amz-checksum-sha256'];
  if (req.method === 'PUT' && checksum !== sha256(body).toString('base64')) return 'BadDigest';
  return null;
}

interface Signed {
  readonly scope: string;
  readonly at: string;
  /** Epoch milliseconds. */
  readonly until: number;
  readonly headers: string;
  readonly payload: string;
  readonly signature: string;
}

function signedLink({ searchParams }: URL): Signed | null {
  const of = (name: string): string => searchParams.get(`X-Amz-${name}`) ?? '';
  if (!of('Credential').startsWith(`${CREDENTIALS.accessKeyId}/`)) return null;
  return {
    scope: of('Credential').slice(CREDENTIALS.accessKeyId.length + 1),
    at: of('Date'),
    until: instantOf(of('Date')) + Number(of('Expires')) * 1000,
    headers: of('SignedHeaders'),
    payload: of('Content-Sha256') || 'UNSIGNED-PAYLOAD',
    signature: of('Signature'),
  };
}

function signedRequest({ headers }: IncomingMessage): Signed | null {
  const form = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), SignedHeaders=([^,]+), Signature=(\w+)$/;
  const [, key, scope = '', names = '', signature = ''] = form.exec(headers.authorization ?? '') ?? [];
  if (key !== CREDENTIALS.accessKeyId) return null;
  const at = String(headers['x-amz-date']);
  const payload = String(headers['x-amz-content-sha256']);
  return { scope, at, until: instantOf(at) + 900_000, headers: names, payload, signature };
}

function signatureOf(req: IncomingMessage, url: URL, { scope, at, headers, payload }: Signed): string {
  const query = url.search
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '' && !pair.startsWith('X-Amz-Signature='));
  const named = headers.split(';').map((name) => `${name}:${String(req.headers[name]).trim().replace(/ +/g, ' ')}\n`);
  const request = [req.method, url.pathname, query.sort().join('&'), named.join(''), headers, payload].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', at, scope, sha256(Buffer.from(request)).toString('hex')].join('\n');
  const key = scope
    .split('/')
    .reduce<Buffer>((made, part) => hmac(made, part), Buffer.from(`AWS4${CREDENTIALS.secretAccessKey}`));
  return hmac(key, toSign).toString('hex');
}

/** `20261121T195541Z` */
const instantOf = (basic: string): number =>
  Date.parse(basic.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));

const sha256 = (content: Buffer): Buffer => createHash('sha256').update(content).digest();
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
