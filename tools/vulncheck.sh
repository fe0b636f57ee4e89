#!/usr/bin/env bash
# Runs govulncheck (the command given), and says so instead of failing where its database can't be reached: a
# build without that part of the internet is still a build. A known vulnerability that our code calls does fail.
set -uo pipefail
out=$("$@" 2>&1)
code=$?
if [ "$code" -ne 0 ] && grep -q '^govulncheck: fetching vulnerabilities: ' <<<"$out"; then
  echo 'lint: govulncheck: the vulnerability database is out of reach here; NOT CHECKED'
  exit 0
fi
printf '%s\n' "$out"
exit "$code"
