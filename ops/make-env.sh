#!/usr/bin/env bash
# Writes .env and .secrets/ for docker-compose.yml: everything random is generated, the rest is asked for by name.
# Existing files are never touched: losing ALUR_PERSONAL_DATA_KEY means losing the tax numbers.
set -euo pipefail
cd "$(dirname "$0")/.."

public_url=${1:-}
if [[ ! $public_url =~ ^https://[^/]+ ]]; then
  echo "Usage: ops/make-env.sh https://the-address-where-browsers-reach-alur" >&2
  exit 2
fi
for file in .env .secrets; do
  if [[ -e $file ]]; then
    echo "$file exists already; move it away first, if you really want new secrets." >&2
    exit 1
  fi
done

umask 077
mkdir .secrets
# The certificate of a registered provider replaces this one before anybody relies on the signature.
openssl req -x509 -newkey rsa:3072 -noenc -sha256 -days 825 \
  -subj "/CN=Alur document signer" -addext "keyUsage=critical,digitalSignature,nonRepudiation" \
  -keyout .secrets/signer-key.pem -out .secrets/signer-certificate.pem 2>/dev/null
# The containers' user must read the mounted files; the directory keeps everybody else on this host out.
chmod 644 .secrets/signer-key.pem .secrets/signer-certificate.pem

{
  echo "ALUR_PUBLIC_URL=${public_url%/}"
  echo "MIDTRANS_SERVER_KEY="
  echo "POSTGRES_PASSWORD=$(openssl rand -hex 24)"
  echo "ALUR_DATABASE_PASSWORD=$(openssl rand -hex 24)"
  echo "TEMPORAL_DATABASE_PASSWORD=$(openssl rand -hex 24)"
  echo "ALUR_SECRET_KEY=$(openssl rand -base64 32)"
  echo "ALUR_PERSONAL_DATA_KEY=$(openssl rand -base64 32)"
  echo "ALUR_JWT_PRIVATE_KEY=\"$(openssl genpkey -algorithm ed25519)\""
  echo "ALUR_AUDIT_PRIVATE_KEY=\"$(openssl genpkey -algorithm ed25519)\""
} >.env

echo "Wrote .env and .secrets/. Fill in MIDTRANS_SERVER_KEY in .env, then: docker compose up --build --detach"
