#!/bin/sh
# Pinhole on the gateway in front of an FTP server, relay plane. Made by: pinhole rules
# Flows: control  client, port above 1023 -> port 21, and back
#        active   server, port 20 -> client, port above 1023 (PORT, EPRT), and back
#        passive  client, port above 1023 -> server, port above 1023 (227, 229), and back
# "And back" is what is established. What goes out from this host is not filtered. All else is dropped: what else it
# serves is named by --open-ports, what else it forwards needs rules of your own in the chain forward.
#
# Replaces: its own older rules in before.rules, before6.rules and before.init. Rules of ufw allow stay; what else came in
# is denied.
# Try:    nohup sh -c 'sleep 60; sh ftp-ufw.sh remove; ufw disable' & sh ftp-ufw.sh; ufw enable
#         Within the minute log in once more, in a second terminal. If you can: kill %1. If not, ufw is switched off.
# Load:   sh ftp-ufw.sh, as root, in the folder that holds it and etc/
# Remove: sh ftp-ufw.sh remove. The default policies stay as they are then: ufw status verbose says them.
set -e
cd "$(dirname "$0")"
# Another tree and another program, to try it.
root=${UFW_ROOT:-}
ufw=${UFW:-ufw}
there=$root/etc/ufw

fail() {
  echo "ftp-ufw.sh: $*" >&2
  exit 1
}

# FILE: what this script put into it goes.
take_out() {
  sed '/^# ftp-rules begin$/,/^# ftp-rules end$/d' "$1" > "$1.new"
  put_back "$1"
}

# FILE: what FILE.new holds; its owner and rights stay.
put_back() {
  cat "$1.new" > "$1"
  rm "$1.new"
}

# FILE PART: at the end of the table filter.
put_into_filter() {
  take_out "$1"
  awk -v part="$2" '
    /^\*/ { table = $0 }
    /^COMMIT/ && table == "*filter" { while ((getline line < part) > 0) print line }
    { print }
  ' "$1" > "$1.new"
  grep -q '^# ftp-rules end$' "$1.new" || fail "$1 has no table filter that ends with COMMIT"
  put_back "$1"
}

# FILE PART: behind its first line.
put_on_top() {
  take_out "$1"
  sed "1r $2" "$1" > "$1.new"
  put_back "$1"
}

for file in before.rules before6.rules before.init; do
  [ -f "$there/$file" ] || fail "$there/$file is missing: ufw 0.34 or later has it"
done

if [ "${1:-}" = remove ]; then
  [ ! -f "$there/ftp.init" ] || sh "$there/ftp.init" stop
  for file in before.rules before6.rules before.init; do take_out "$there/$file"; done
  rm -f "$there/ftp.init" "$there/ftp.tables" "$there/ftp6.tables"
  $ufw reload
  exit
fi
[ $# = 0 ] || fail "$*: allowed: nothing, or remove"

for file in ftp.filter ftp6.filter ftp.tables ftp6.tables ftp.hook ftp.init; do
  [ -s "etc/ufw/$file" ] || fail "$PWD/etc/ufw/$file is missing: --out writes it beside this script"
done
cp etc/ufw/ftp.init etc/ufw/ftp.tables etc/ufw/ftp6.tables "$there/"
put_into_filter "$there/before.rules" etc/ufw/ftp.filter
put_into_filter "$there/before6.rules" etc/ufw/ftp6.filter
put_on_top "$there/before.init" etc/ufw/ftp.hook
# ufw calls it only then.
chmod u+x "$there/before.init"
$ufw default deny incoming
$ufw default deny routed
$ufw reload
grep -qi '^ENABLED=yes' "$there/ufw.conf" ||
  echo "ufw is inactive: ufw enable puts the rules in force. Over SSH its port has to be in --open-ports, or ufw allow."
