#!/bin/sh
# Installs what building and testing need and is missing: by apt, and, without --no-npm, into tests/npm/node_modules by npm. Quiet when all is
# there.
set -eu
npm=yes
[ "${1:-}" != --no-npm ] || npm=
packages="gcc g++ pkg-config gettext libcurl4-openssl-dev libsqlite3-dev libjansson-dev libxml2-dev libuv1-dev libinih-dev
libphonenumber-dev libprotobuf-dev libicu-dev libsodium-dev libssl-dev uthash-dev zlib1g-dev liblzma-dev libabsl-dev libmicrohttpd-dev libpsl-dev
libcriterion-dev clang libclang-rt-14-dev python3 radicale xandikos cyrus-caldav cyrus-imapd sasl2-bin libsasl2-modules python3-aiosmtpd openssl nginx-light vdirsyncer curl sqlite3 libxml2-utils syncevolution dbus wrk"
[ -z "$npm" ] || command -v npm >/dev/null || packages="$packages nodejs npm"
missing=
for p in $packages; do
    dpkg-query -W -f='${db:Status-Abbrev}' "$p" 2>/dev/null | grep -q '^ii' || missing="$missing $p"
done
if [ -n "$missing" ]; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "installing:$missing"
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

# The foreign clients, validators and sign-in services of the tests, exactly as the lock says (docs/TESTING.md). What is there is of this
# lock where the copy of it says so, which is the last thing written: an installation that broke off is made anew.
[ -n "$npm" ] || exit 0
cd "$(dirname "$0")/npm"
cmp -s package-lock.json node_modules/lock-of-these.json && exit 0
echo "installing: the packages of tests/npm"
log=$(mktemp)
npm ci --prefer-offline --loglevel error >"$log" 2>&1 || {
    cat "$log"
    echo "tests/npm: npm ci failed; the tests with foreign clients need these packages" >&2
    rm -f "$log"
    exit 1
}
rm -f "$log"
cp package-lock.json node_modules/lock-of-these.json
