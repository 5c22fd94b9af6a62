import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { type CertificateData, renderCertificate } from '../../../activities/documents/certificate.ts';
import { linesOf, textRunsOf } from './pdf-text.ts';

const data: CertificateData = {
  licenseNumber: 'SS/2026/000123',
  licenseName: { id: 'Sertifikat Standar Industri Makanan', en: 'Standard Certificate for Food Production' },
  risk: 'medium_high',
  office: { name: 'DPMPTSP Kota Contoh', address: 'Jalan Merdeka No. 1, Kota Contoh' },
  company: {
    name: 'Warung Sejahtera',
    legalForm: 'Usaha perorangan',
    nib: '9120001234567',
    address: 'Jalan Melati No. 7',
  },
  kbli: [{ code: '10710', title: { id: 'Industri Produk Roti dan Kue', en: 'Manufacture of bakery products' } }],
  validFrom: '2026-11-21T10:14:00+07:00',
  validUntil: '2031-11-21T00:00:00+07:00',
  issuedAt: '2026-11-21T10:14:00+07:00',
  timeZone: 'Asia/Jakarta',
  verifyUrl: 'https://alur.example.id/verify/7F3K-9QWX',
  grantedBy: 'decision',
  signature: 'uncertified',
};

const certificate = async (changes: Partial<CertificateData> = {}) =>
  linesOf(await renderCertificate({ ...data, ...changes }));

describe('the certificate', () => {
  it('is the same bytes for the same data, whatever the time', async () => {
    const first = await renderCertificate(data);
    mock.timers.enable({ apis: ['Date'], now: Date.parse('2031-05-06T07:08:09Z') });
    const later = await renderCertificate(data);
    mock.timers.reset();
    assert.ok(first.equals(later));
    assert.ok(!first.equals(await renderCertificate({ ...data, licenseNumber: 'SS/2026/000124' })));
  });

  it('carries the data of its licence as its own date', async () => {
    const pdf = (await renderCertificate(data)).toString('latin1');
    const dates = [...pdf.matchAll(/\(D:(\d+Z?)\)/g)].map(([, date]) => date);
    assert.deepEqual(dates, ['20261121031400Z', '20261121031400Z']);
  });

  it('says in both languages what was granted to whom', async () => {
    const lines = await certificate();
    for (const expected of [
      'DPMPTSP KOTA CONTOH',
      'SERTIFIKAT STANDAR INDUSTRI MAKANAN',
      'Standard Certificate for Food Production',
      'Nomor / Number: SS/2026/000123',
      'Warung Sejahtera',
      'Usaha perorangan',
      '9120001234567',
      'Jalan Melati No. 7',
      '10710  Industri Produk Roti dan Kue',
      'Manufacture of bakery products',
      'Menengah Tinggi',
      'Medium-high',
      'https://alur.example.id/verify/7F3K-9QWX',
      '21 November 2026 pukul 10.14 WIB',
      '21 November 2026, 10:14 WIB',
    ]) {
      assert.ok(lines.includes(expected), `"${expected}" among\n${lines.join('\n')}`);
    }
  });

  it('lists bare KBLI codes in one row when they are many or without a title', async () => {
    const title = { id: '', en: '' };
    assert.ok(
      (
        await certificate({
          kbli: [
            { code: '10710', title },
            { code: '56101', title },
          ],
        })
      ).includes('10710, 56101'),
    );
    const many = Array.from({ length: 40 }, (_, index) => ({
      code: String(10_000 + index),
      title: { id: 'Industri', en: 'Industry' },
    }));
    assert.match((await certificate({ kbli: many })).join(' '), /10000, 10001, .*10039/);
  });

  it('ends on the day before when it ends at midnight in its zone', async () => {
    const lines = await certificate();
    assert.ok(lines.includes('21 November 2026 sampai dengan 20 November 2031 (WIB)'));
    assert.ok(lines.includes('21 November 2026 up to and including 20 November 2031 (WIB)'));
  });

  it('names the licence that it renews, and no other does', async () => {
    const lines = await certificate({ renews: 'UMKM-KIOSK/2021/000042' });
    assert.ok(lines.some((line) => line.includes('UMKM-KIOSK/2021/000042')));
    assert.ok(lines.some((line) => line.includes('Renewal of licence number')));
    assert.ok(!(await certificate()).some((line) => line.includes('Renewal of')));
  });

  it('shows days in the zone of the office', async () => {
    const lines = await certificate({ validFrom: '2026-11-21T16:30:00Z', validUntil: null, timeZone: 'Asia/Jayapura' });
    assert.ok(lines.includes('Sejak 22 November 2026 (WIT), seumur hidup'));
    assert.ok(lines.includes('From 22 November 2026 (WIT), lifetime'));
  });

  it('says that the local signature is uncertified, and only then', async () => {
    assert.match(
      (await certificate()).join(' '),
      /tanda tangan elektronik tidak tersertifikasi.*uncertified electronic signature/,
    );
    assert.doesNotMatch((await certificate({ signature: 'certified' })).join(' '), /tidak tersertifikasi|uncertified/);
  });

  it('says when the law granted it, not a decision', async () => {
    assert.match((await certificate({ grantedBy: 'law' })).join(' '), /fiktif positif.*deemed granted by law/);
    assert.doesNotMatch((await certificate()).join(' '), /fiktif positif/);
  });

  it('keeps the longest names on the page, in words or in one piece', async () => {
    const pdf = await renderCertificate({
      ...data,
      licenseName: { id: 'Izin Usaha Pengolahan Pangan '.repeat(5), en: 'Food Processing Licence '.repeat(5) },
      office: { name: 'Dinas Penanaman Modal dan Pelayanan Terpadu '.repeat(4), address: 'Jalan Merdeka '.repeat(15) },
      company: {
        ...data.company,
        name: `${'Perkumpulan Usaha Bersama '.repeat(8)}${'W'.repeat(80)}`,
        address: 'Jalan Panjang '.repeat(28),
      },
      verifyUrl: `https://perizinan.example.go.id/verify/${'A1B2-'.repeat(20)}`,
    });
    const runs = textRunsOf(pdf);
    for (const { page, text, x, right, y } of runs) {
      assert.equal(page, 0);
      assert.ok(x >= 50 && right <= 595.28 - 50, `"${text}" from ${x} to ${right}`);
      assert.ok(y >= 36 && y <= 842 - 36, `"${text}" at ${y}`);
    }
    const widest = runs.filter(({ text }) => /^W+$/.test(text.trim()));
    assert.equal(
      widest.reduce((sum, { text }) => sum + text.trim().length, 0),
      80,
    );
    const lastOfBody = Math.min(
      ...runs.filter(({ text }) => text.includes('Validity') || text.includes('WIB)')).map(({ y }) => y),
    );
    assert.ok(lastOfBody > 842 - 640, `body ends at ${lastOfBody}`);
  });

  it('refuses what no page can hold', async () => {
    const company = { ...data.company, address: 'Jalan Panjang '.repeat(2000) };
    await assert.rejects(renderCertificate({ ...data, company }), /SS\/2026\/000123 does not fit on one page/);
  });

  it('shows letters that its fonts lack without their marks', async () => {
    const lines = await certificate({ company: { ...data.company, name: 'Kedai Čaj Şen – „Ibu’s“ Café' } });
    assert.ok(
      lines.some((line) => line.startsWith('Kedai Caj Sen – ')),
      lines.join('\n'),
    );
  });

  it('refuses a date without a zone', async () => {
    await assert.rejects(
      renderCertificate({ ...data, issuedAt: '2026-11-21T10:14:00' }),
      /not an ISO 8601 time with offset/,
    );
  });
});
