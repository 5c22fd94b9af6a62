/**
 * What ClamAV's daemon says over TCP (clamd(8): PING, INSTREAM in the `z` form): it finds the EICAR test file, and can be told
 * to misbehave.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** Harmless, and found by every scanner; in two parts so that this file is not. */
export const EICAR = Buffer.from(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join(''),
);

/** `dies`: breaks off in the middle of a file; `silent`: takes all of it and never answers; `full`: as over StreamMaxLength; `odd`: says
 * something else. */
export type Mood = 'well' | 'dies' | 'silent' | 'full' | 'odd';

export interface Clamd {
  readonly host: string;
  readonly port: number;
  /** How many files it was sent to the end. */
  scanned(): number;
  /** How many connections came, whatever became of them. */
  asked(): number;
  be(mood: Mood): void;
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

export async function startClamd(): Promise<Clamd> {
  let mood: Mood = 'well';
  let [scanned, asked] = [0, 0];
  let server: Server | null = null;
  let port = 0;
  const sockets = new Set<Socket>();
  const listen = async () => {
    // Half open, as a daemon that hangs does not hang up either.
    server = createServer({ allowHalfOpen: true }, (socket) => {
      asked += 1;
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      serve(
        socket,
        () => mood,
        () => {
          scanned += 1;
        },
      );
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('the scanner has no TCP port');
    ({ port } = address);
  };
  await listen();
  return {
    host: '127.0.0.1',
    get port() {
      return port;
    },
    scanned: () => scanned,
    asked: () => asked,
    be: (now) => {
      mood = now;
    },
    async goAway() {
      if (!server) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
      server = null;
    },
    comeBack: listen,
  };
}

const COMMAND = 'zINSTREAM\0';

function serve(socket: Socket, mood: () => Mood, done: () => void): void {
  let received = Buffer.alloc(0);
  socket.on('data', (piece) => {
    received = Buffer.concat([received, typeof piece === 'string' ? Buffer.from(piece) : piece]);
    if (mood() === 'dies' && received.length > COMMAND.length + 8) return void socket.resetAndDestroy();
    if (received.toString('latin1', 0, 6) === 'zPING\0') return void socket.end('PONG\0');
    const content = streamed(received);
    if (content === null || mood() === 'silent') return;
    if (mood() === 'full') return void socket.end('INSTREAM size limit exceeded. ERROR\0');
    if (mood() === 'odd') return void socket.end('stream: perhaps\0');
    done();
    socket.end(content.includes(EICAR) ? 'stream: Win.Test.EICAR_HDB-1 FOUND\0' : 'stream: OK\0');
  });
}

/** null while more is to come: pieces with their length (four bytes, big-endian) before them, the last of length 0. */
function streamed(received: Buffer): Buffer | null {
  if (!received.toString('latin1', 0, COMMAND.length).startsWith(COMMAND)) return null;
  const pieces: Buffer[] = [];
  for (let at = COMMAND.length; at + 4 <= received.length; ) {
    const length = received.readUInt32BE(at);
    if (length === 0) return Buffer.concat(pieces);
    if (at + 4 + length > received.length) return null;
    pieces.push(received.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return null;
}
