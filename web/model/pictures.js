// SPDX-License-Identifier: MIT
//
// Pictures by their image_id, as URLs for <img>.  The newest stay in memory, ROOM bytes of
// them; one that had to go is fetched again when it is wanted.  An <img> that shows it
// already goes on showing it.

const KINDS = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const ROOM = 64 * 1024 * 1024;

export class Pictures {
  constructor(connection, login) {
    this.connection = connection;
    this.kept = new Map(); // image_id: {coming: promise of the URL, url, size}, the oldest first
    this.used = 0;         // bytes of those that have come
    connection.on("chat-img", ([id, , , , , , type, data]) => {
      if (!this.kept.has(id))
        this.#keep(id, Promise.resolve(blobOf(type, data)));
    });
    login.on("out", () => this.#shrink(0));
  }

  url(id) {
    if (!this.kept.has(id))
      this.#keep(id, this.#fetch(id));
    return this.kept.get(id).coming;
  }

  async #fetch(id) {
    const [found, reason, type, data] = await this.connection.ask("get-image", "image", id);

    if (found === -1)
      throw new Error(reason);
    return blobOf(type, data);
  }

  #keep(id, blob_coming) {
    const entry = { url: "", size: 0 };

    entry.coming = blob_coming.then((blob) => {
      this.#shrink(ROOM - blob.size);
      entry.size = blob.size;
      this.used += blob.size;
      return (entry.url = URL.createObjectURL(blob));
    });
    this.kept.set(id, entry);
    entry.coming.catch(() => this.kept.delete(id)); // ask again the next time
  }

  // Let the oldest ones go that have come.
  #shrink(room) {
    for (const [id, { url, size }] of this.kept) {
      if (this.used <= room)
        break;
      if (url === "")
        continue;
      this.kept.delete(id);
      this.used -= size;
      URL.revokeObjectURL(url);
    }
  }
}

// The server says which kind it found in the bytes; anything else is not shown.
function blobOf(type, data) {
  return new Blob([data], { type: KINDS.includes(type) ? type : "application/octet-stream" });
}
