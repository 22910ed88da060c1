// SPDX-License-Identifier: MIT
//
// The window's title counts what is unread, for those who look at another window.

import { drawing } from "./dom.js";

export function showTitle(chats, room, login) {
  const draw = drawing(() => {
    const unread = login.username === null ? 0 : chats.unread + room.unseen;

    document.title = unread > 0 ? `(${unread}) Quintet` : "Quintet";
  });

  for (const model of [chats, room, login])
    model.on("changed", draw);
}
