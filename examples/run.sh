#!/usr/bin/env bash
# Runs each example against a gateway of its own, with the embedded Rainbow on free ports, shows what it prints, and holds
# that against output.txt beside it (UPDATE=1 renews those). `make examples` calls it when all is built; whatever happens,
# the gateway ends and nothing is left behind.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
gateway=
stop() {
  [ -z "$gateway" ] || { kill "$gateway" && wait "$gateway" || true; }
  gateway=
}
trap 'stop; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

# Starts a gateway with a fresh world; $address is then where it takes gRPC calls.
start() {
  local log=$folder/$1.log
  : >"$log"
  bin/gateway serve --upstream sandbox --state "$folder/$1.db" \
    --grpc-addr 127.0.0.1:0 --http-addr 127.0.0.1:0 --admin-addr 127.0.0.1:0 2>"$log" &
  gateway=$!
  for _ in $(seq 300); do
    address=$(sed -n 's/.*"msg":"listening".*"grpc":"\([^"]*\)".*/\1/p' "$log")
    [ -z "$address" ] || return 0
    kill -0 "$gateway" 2>/dev/null || break
    sleep 0.1
  done
  echo "examples: the gateway does not listen:" >&2
  cat "$log" >&2
  return 1
}

# Runs the command of an example with the gateway's address and the manifest put behind it.
example() {
  local name=$1 output
  shift
  start "$name"
  printf '\n$ %s\n' "$* $address samples/rainbowvoice.csv"
  "$@" "$address" samples/rainbowvoice.csv | tee "$folder/$name.txt"
  stop
  output=examples/$name/output.txt
  [ -z "${UPDATE:-}" ] || cp "$folder/$name.txt" "$output"
  diff -u "$output" "$folder/$name.txt" || {
    echo "examples: $name prints something else than $output; make examples UPDATE=1 renews it" >&2
    return 1
  }
}

example go bin/example
example typescript node examples/typescript/dist/src/main.js
printf '\nexamples: each printed what it should\n'
