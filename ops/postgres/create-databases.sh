#!/bin/sh
# Runs once, on an empty data directory. Alur and Temporal each own their databases; neither sees the other's.
set -eu

psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
  --set=alur="$ALUR_DATABASE_PASSWORD" --set=temporal="$TEMPORAL_DATABASE_PASSWORD" <<'SQL'
create role alur login password :'alur';
create role temporal login password :'temporal';
create database alur owner alur;
create database temporal owner temporal;
create database temporal_visibility owner temporal;
revoke connect on database alur, temporal, temporal_visibility from public;
SQL
