import assert from 'node:assert/strict';
import { generateSync } from 'otplib';
import { newTotpKey, otpauthUrl, qrSvg, totpStep } from '../../api/totp.ts';

describe('codes of an authenticator app', () => {
  const secret = newTotpKey();
  const at = new Date('2026-03-02T03:00:10Z');
  const codeAt = (seconds: number) => generateSync({ secret, epoch: at.getTime() / 1000 + seconds });

  it('hold for their own step of 30 seconds, the one before and the one after', () => {
    const step = Math.floor(at.getTime() / 30_000);
    assert.equal(totpStep(secret, codeAt(0), at), step);
    assert.equal(totpStep(secret, codeAt(-30), at), step - 1);
    assert.equal(totpStep(secret, codeAt(30), at), step + 1);
    assert.equal(totpStep(secret, codeAt(-60), at), null);
    assert.equal(totpStep(secret, codeAt(60), at), null);
  });

  it('are those of RFC 6238', () => {
    // Appendix B, SHA-1, the last six digits: the key is "12345678901234567890" in base32.
    const key = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    assert.equal(totpStep(key, '287082', new Date(59_000)), 1);
    assert.equal(totpStep(key, '081804', new Date(1_111_111_109_000)), 37_037_036);
    assert.equal(totpStep(key, '353130', new Date(20_000_000_000_000)), 666_666_666);
  });

  it('come as a QR code that is an image and nothing else', async () => {
    const svg = await qrSvg(otpauthUrl(secret, 'a&b"<script>@example.id'));
    assert.match(svg, /^<svg [^>]+>(<path [^>]+\/>)+<\/svg>\s*$/);
    assert.doesNotMatch(svg, /script|href|url\(| on\w+=|style/i);
  });
});
