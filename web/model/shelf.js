// SPDX-License-Identifier: MIT
//
// Small things that the browser keeps: for this tab ("session"), or for all of them and
// for longer ("local").  What is found there may be anything: another version of this page
// or a curious person may have put it there, so who reads has to look at it.  A browser
// that keeps nothing (it may be told so, and then throws) is like one that forgets.

const place = (which) => (which === "local" ? localStorage : sessionStorage);

// null: nothing there, or nothing that can be read.
export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function read(which, key) {
  try {
    return parse(place(which).getItem(key));
  } catch {
    return null;
  }
}

// False: there is no room for it, and what was there before is gone, too.
export function write(which, key, value) {
  try {
    place(which).setItem(key, JSON.stringify(value));
    return true;
  } catch {
    remove(which, key);
    return false;
  }
}

export function remove(which, key) {
  try {
    place(which).removeItem(key);
  } catch {
    // Then there is nothing.
  }
}
