#!/usr/bin/env bash
# Lists what the test binaries of the module hold: "package target", one a line, for targets that begin with $1.
#   tools/targets.sh Fuzz
#   tools/targets.sh Benchmark
set -euo pipefail
prefix=$1
packages=$(grep -rlE "^func ${prefix}[A-Z0-9_]" --include='*_test.go' . | xargs -r -n1 dirname | sort -u || true)
[ -n "$packages" ] || exit 0
# shellcheck disable=SC2086 # one word a package
go test -list "^${prefix}" $packages | awk -v prefix="$prefix" '
  index($1, prefix) == 1 { targets[++n] = $1; next }
  $1 == "ok" { for (i = 1; i <= n; i++) print $2, targets[i]; n = 0 }'
