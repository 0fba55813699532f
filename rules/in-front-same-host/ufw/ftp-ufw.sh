#!/bin/sh
# Pinhole in front of an FTP server, relay plane. Made by: pinhole rules
# Flows: control  client, port above 1023 -> port 21, and back
#        active   server, port 20 -> client, port above 1023 (PORT, EPRT), and back
#        passive  client, port above 1023 -> server, port above 1023 (227, 229), and back
# "And back" is what is established. What goes out from this host is not filtered. All else is dropped: what else it
# serves is named by --open-ports, what else it forwards needs rules of your own in the chain forward.
#
# Load: sh ftp-ufw.sh, as root, in the folder that holds it and etc/
set -e
cd "$(dirname "$0")"
# Another tree and another program, to try it.
root=${UFW_ROOT:-}
ufw=${UFW:-ufw}

# FILE, what goes into its table "filter", and tables that go behind it; older ones go.
install_rules() {
  awk -v filter="$2" -v tables="$3" '
    function put(part,  line) {
      print "# ftp-rules begin"
      while ((getline line < part) > 0) print line
      print "# ftp-rules end"
    }
    /^# ftp-rules begin$/ { skip = 1 }
    !skip && /^\*/ { table = $0 }
    !skip && /^COMMIT/ && table == "*filter" { put(filter) }
    !skip { print }
    /^# ftp-rules end$/ { skip = 0 }
    END { put(tables) }
  ' "$1" > "$1.new"
  # Its owner and rights stay.
  cat "$1.new" > "$1"
  rm "$1.new"
}

install_rules "$root/etc/ufw/before.rules" etc/ufw/ftp.filter etc/ufw/ftp.tables
install_rules "$root/etc/ufw/before6.rules" etc/ufw/ftp6.filter etc/ufw/ftp6.tables
$ufw default deny incoming
$ufw reload
