#!/bin/sh
# Installs what building and testing need and is missing, by apt. Quiet when all is there.
set -eu
packages="gcc g++ pkg-config gettext libcurl4-openssl-dev libsqlite3-dev libjansson-dev libxml2-dev libuv1-dev libinih-dev
libphonenumber-dev libprotobuf-dev libicu-dev libsodium-dev libssl-dev uthash-dev zlib1g-dev liblzma-dev libabsl-dev libmicrohttpd-dev libpsl-dev
libcriterion-dev clang libclang-rt-14-dev python3 radicale xandikos cyrus-caldav cyrus-imapd sasl2-bin libsasl2-modules python3-aiosmtpd openssl nginx-light vdirsyncer curl sqlite3 libxml2-utils"
missing=
for p in $packages; do
    dpkg-query -W -f='${db:Status-Abbrev}' "$p" 2>/dev/null | grep -q '^ii' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "installing:$missing"
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
