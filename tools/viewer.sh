#!/usr/bin/env bash
# Renews the viewer of the reference page, internal/reference/swagger-ui: the files of Swagger UI that the page loads, from
# its npm package, whose version and checksum stand here. Needs npm and openssl. The files are committed, since the
# gateway is built from Go alone; SHA256SUMS, held by a test, says that they are what came.
#
# For another version: change the two lines, run this, look at the page, commit.
set -euo pipefail
version=5.35.0
integrity=U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==

cd "$(dirname "$0")/../internal/reference/swagger-ui"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" "swagger-ui-dist@$version" >/dev/null
got=$(openssl dgst -sha512 -binary "$work/swagger-ui-dist-$version.tgz" | base64 -w0)
if [ "$got" != "$integrity" ]; then
  echo "viewer: swagger-ui-dist $version: sha512 is $got, want $integrity" >&2
  exit 1
fi
tar xzf "$work/swagger-ui-dist-$version.tgz" -C "$work"
files=(LICENSE NOTICE favicon-32x32.png swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt swagger-ui.css)
for file in "${files[@]}"; do
  cp "$work/package/$file" "$file"
done
{
  echo "# swagger-ui-dist $version, sha512-$integrity"
  sha256sum "${files[@]}"
} >SHA256SUMS
