// SPDX-License-Identifier: MIT
//
// The page begins here: it makes the parts and ties them together.
//
//   model/   what is known: no part of it touches the page
//   view/    what is shown: each view draws one model into its corner of index.html
//
// Models tell their views with "changed" (model/signal.js).  Everything goes through one
// connection (model/connection.js), whose events and arguments are described in
// docs/protocols/board.md.

import { Connection } from "./model/connection.js";
import { Login } from "./model/login.js";
import { Announcements } from "./model/announcements.js";
import { Chats } from "./model/chats.js";
import { Drafts } from "./model/drafts.js";
import { Drawer } from "./model/drawer.js";
import { Room } from "./model/room.js";
import { Pictures } from "./model/pictures.js";

import { showConnection, showNotice } from "./view/frame.js";
import { showLogin } from "./view/login.js";
import { showAnnouncements } from "./view/announcements.js";
import { showChats } from "./view/chats.js";
import { showRoom } from "./view/room.js";
import { showTitle } from "./view/title.js";
import { startRoutes } from "./view/routes.js";

function start() {
  const connection = new Connection(window.io);
  const login = new Login(connection);
  const announcements = new Announcements(connection, login);
  const chats = new Chats(connection, login);
  const pictures = new Pictures(connection, login);
  const room = new Room(connection, login, chats, new Drawer());

  showConnection(connection, login, room.outbox);
  showNotice(connection, login);
  showLogin(connection, login);
  showAnnouncements(announcements, login, chats);
  showChats(chats, room);
  showRoom(room, chats, login, pictures, new Drafts(login));
  showTitle(chats, room, login);
  startRoutes(login, chats, room);
  connection.open();
}

if (window.io === undefined)
  document.getElementById("connection").textContent =
    "Cannot connect: the server lacks socket.io.js (make deps fetches it)";
else
  start();
