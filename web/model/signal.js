// SPDX-License-Identifier: MIT
//
// How models tell that something has happened: EventTarget with fewer words.

export class Signal extends EventTarget {
  // Call fn(detail) each time; name is "changed" where there is nothing more to say.
  on(name, fn) {
    this.addEventListener(name, (event) => fn(event.detail));
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
