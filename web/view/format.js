// SPDX-License-Identifier: MIT
//
// Times, sizes and names, as people read them.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const date_of_year =
  new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

function midnight(ms) {
  return new Date(ms).setHours(0, 0, 0, 0);
}

export function timeOf(ms) {
  return clock.format(ms);
}

// "today", "yesterday", "3 Jan", "3 Jan 2025"
export function dayOf(ms) {
  const days = Math.round((midnight(ms) - midnight(Date.now())) / 86400000);

  if (days > -2 && days < 1)
    return relative.format(days, "day");
  return new Date(ms).getFullYear() === new Date().getFullYear()
    ? date.format(ms) : date_of_year.format(ms);
}

export function whenOf(ms) {
  return `${dayOf(ms)}, ${timeOf(ms)}`;
}

export function sameDay(a, b) {
  return midnight(a) === midnight(b);
}

export function sizeOf(bytes) {
  return `${(bytes / 1048576).toFixed(1)} MiB`;
}

// The colour of a person's sign, one of eight: always the same one for a name.
export function hueOf(name) {
  let hash = 0;

  for (const c of name.toLowerCase())
    hash = Math.imul(hash ^ c.codePointAt(0), 0x9e3779b1);
  return `hue-${hash >>> 29}`;
}
