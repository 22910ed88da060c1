#!/bin/sh
# Print quintet.conf(5) from the server's own table of settings, so that the manual
# cannot drift from the program: tools/config-manual.sh >docs/man/quintet.conf.5
# (make lint compares the two).
set -eu
cd "$(dirname "$0")/.."
server=${SERVER:-server/server}

cat <<'EOT'
.\" SPDX-License-Identifier: MIT
.\" Made by tools/config-manual.sh from the table in server/config.c.
.Dd November 21, 2026
.Dt QUINTET.CONF 5
.Os
.Sh NAME
.Nm quintet.conf
.Nd settings of the chat server
.Sh DESCRIPTION
.Xr quintet-server 8
reads its settings from
.Pa DATA/server/server.conf ,
which the first start writes with every setting commented out, or from the file that
.Fl -config
names.
The file has sections in brackets and lines
.Ql key = value ;
a line that begins with
.Ql #
is a comment.
Any setting can be overridden on the command line with
.Fl -set Ar section.key Ns = Ns Ar value .
.Pp
Durations take the suffixes ms, s, m, h and d, sizes KiB, MiB and GiB; switches are
.Ic yes
or
.Ic no .
A setting or section that does not exist, and a value out of its range, are mistakes: the start,
or the reload, says which line it is and changes nothing.
.Pp
.Ql server ctl reload
or the signal HUP applies changes at once, all or nothing, and disconnects nobody; what needs a
restart says so.
EOT
"$server" --example-config | awk '
function esc(s) { gsub(/\\/, "\\e", s); if (s ~ /^[.\047]/) s = "\\&" s; return s }
/^\[/ {
  if (open) print ".El"
  section = substr($0, 2, length($0) - 2)
  print ".Sh SECTION " toupper(section)
  print ".Bl -tag -width Ds"
  open = 1
  next
}
!section { next }
/^# / { text[++n] = substr($0, 3); next }
/^#[a-z_]+ =/ {
  line = substr($0, 2)
  key = line; sub(/ =.*/, "", key)
  value = line; sub(/^[^=]*= */, "", value)
  print ".It Ic " section "." key (value == "" ? "" : " = " esc(value))
  for (i = 1; i <= n; i++) print esc(text[i])
  n = 0
}
END { if (open) print ".El" }'
cat <<'EOT'
.Sh SEE ALSO
.Xr quintet-server 8
EOT
