// SPDX-License-Identifier: MIT
//
// A question that stands in front of everything else: yes, or no, which Escape is too.

import { $, say } from "./dom.js";

export function ask(text, no, yes) {
  const dialog = $("question");

  say($("question-text"), text);
  say($("question-no"), no);
  say($("question-yes"), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
  });
}
