// SPDX-License-Identifier: MIT
//
// The few helpers that make up for a framework.  Nothing here, and nothing in the views,
// ever reads text as HTML: names and messages become text nodes and attributes.

export const $ = (id) => document.getElementById(id);

// What would not be seen, or would turn round what stands behind it (a name that ends in
// "gpj.exe" would seem to be a picture), is shown as in a terminal: \u{202e}.
const UNSEEN = /[\0-\x08\v\f\x0e-\x1f\x7f-\x9f\u202a-\u202e]/g;

export function visible(text) {
  return text.replace(UNSEEN, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

// An element: el("button", { type: "button", onclick: fn }, "Ask").  Names that begin with
// "on" are listeners; true and false set and leave out an attribute.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);

  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on"))
      node.addEventListener(name.slice(2), value);
    else if (value === true || value === false)
      node.toggleAttribute(name, value);
    else
      node.setAttribute(name, visible(value));
  }
  node.append(...children.map((child) => (typeof child === "string" ? visible(child) : child)));
  return node;
}

// Make parent's children those of items, in their order.  A node that is there already
// stays (and with it the focus, and what is being read aloud); make(item) makes a new
// one, update(node, item) brings any up to date.  One that has to be moved loses the focus
// on the way, and gets it back.
export function fill(parent, items, key, make, update) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const focused = document.activeElement;
  let place = parent.firstElementChild;

  for (const item of items) {
    const name = String(key(item));
    let node = old.get(name);

    old.delete(name);
    if (node === undefined) {
      node = make(item);
      node.dataset.key = name;
    }
    update(node, item);
    if (node === place)
      place = place.nextElementSibling;
    else
      parent.insertBefore(node, place);
  }
  for (const node of old.values())
    node.remove();
  if (focused !== document.activeElement && parent.contains(focused))
    focused.focus({ preventScroll: true });
}

// Write text only where it is another one: screen readers say again what is written.
export function say(node, text) {
  const shown = visible(text);

  if (node.textContent !== shown)
    node.textContent = shown;
}

// Once what happens now is drawn.  Not on a phone: there, its keyboard takes half of the
// page, and comes when it is asked for.
const touched = matchMedia("(pointer: coarse)");

export function focusSoon(find) {
  if (!touched.matches)
    setTimeout(() => find()?.focus({ preventScroll: true }));
}

// Draw once for all that changes at the same moment.
export function drawing(draw) {
  let waiting = false;

  return () => {
    if (waiting)
      return;
    waiting = true;
    queueMicrotask(() => {
      waiting = false;
      draw();
    });
  };
}
