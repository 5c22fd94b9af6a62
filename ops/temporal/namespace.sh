#!/bin/sh
# Creates the namespace and the search attributes that workflows/search-attributes.ts names; a second run changes nothing.
# TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE are read by the temporal CLI itself.
set -eu

# A server that answers its port may still be joining itself: every step is tried for two minutes.
patiently() {
  attempt=1
  until "$@"; do
    if [ "$attempt" -ge 60 ]; then
      echo "Gave up after $attempt attempts: $*" >&2
      exit 1
    fi
    attempt=$((attempt + 1))
    sleep 2
  done
}

namespace() {
  temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "${RETENTION:-30d}"
}

attribute() {
  temporal operator search-attribute list | grep -Eq "^ *$1 +$2 *\$" ||
    temporal operator search-attribute create --name "$1" --type "$2"
}

patiently temporal operator cluster health
patiently namespace
patiently attribute AlurStage Keyword
patiently attribute AlurType Keyword
patiently attribute AlurCompany Keyword
patiently attribute AlurAssignee Keyword
patiently attribute AlurDueAt Datetime
echo "Namespace $TEMPORAL_NAMESPACE is ready."
