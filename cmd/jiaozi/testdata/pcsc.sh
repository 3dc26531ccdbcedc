#!/bin/sh
# Reads two cards through a pcscd of its own: pcsc.sh CONFIG LOG private|shared
#
# CONFIG is a reader.conf whose driver connects to the cards, so that nothing listens. With "private" the caller has
# put us into a mount namespace: an empty /run keeps our pcscd apart from one that may run on this machine.
set -eu
config=$1 log=$2

if [ "$3" = private ]; then
    mount -t tmpfs tmpfs /run
fi
pcscd --foreground --info --config "$config" >"$log" 2>&1 &
daemon=$!
trap 'kill $daemon 2>/dev/null; wait $daemon || true' EXIT

tries=0
until [ "$(opensc-tool --list-readers 2>/dev/null | grep -c ' Yes ')" = 2 ]; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ]; then
        echo "the cards did not appear in the readers" >&2
        exit 1
    fi
    sleep 0.1
done

select_pse=00A404000E315041592E5359532E444446303100
select_ppse=00A404000E325041592E5359532E444446303100
select_partial=00A4040005A00000033300
select_coins=00A4040008F04A5A434F494E0100
for reader in 0 1; do
    echo "reader $reader"
    opensc-tool --reader $reader --card-driver default \
        -s $select_pse -s 00B2010C00 -s $select_ppse -s $select_partial -s 80CA9F7900 \
        -s 00B2011400 -s 00B2013400 -s 00B2015C00 -s 0020008008241234FFFFFFFFFF \
        -s $select_coins -s 8030000000 -s 8032000005000000000200 -s 0020008008241234FFFFFFFFFF -s 8032000005000000000200
done
