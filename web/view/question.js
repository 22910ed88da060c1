// SPDX-License-Identifier: MIT
//
// A question that stands in front of everything else: yes, or no, which Escape is too.

import { $, say } from "./dom.js";

const dialog = $("question");
let answer = null; // of the one that is asked

// Its event comes a moment behind its end.  Who is quick has been asked again by then.
dialog.addEventListener("close", () => {
  if (!dialog.open)
    end(dialog.returnValue === "yes");
});

function end(yes) {
  answer?.(yes);
  answer = null;
}

export function ask(text, no, yes) {
  end(false);
  say($("question-text"), text);
  say($("question-no"), no);
  say($("question-yes"), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => { answer = resolve; });
}
