// SPDX-License-Identifier: MIT
//
// Pictures by their image_id, as URLs for <img>, fetched once.

const KINDS = ["image/png", "image/jpeg", "image/gif", "image/webp"];

export class Pictures {
  constructor(connection) {
    this.connection = connection;
    this.urls = new Map(); // image_id: promise of an object URL
    connection.on("chat-img", ([id, , , , , , type, data]) => {
      if (!this.urls.has(id))
        this.urls.set(id, Promise.resolve(urlOf(type, data)));
    });
  }

  url(id) {
    if (!this.urls.has(id)) {
      const coming = this.#fetch(id);

      this.urls.set(id, coming);
      coming.catch(() => this.urls.delete(id)); // ask again the next time
    }
    return this.urls.get(id);
  }

  async #fetch(id) {
    const [found, reason, type, data] = await this.connection.ask("get-image", "image", id);

    if (found === -1)
      throw new Error(reason);
    return urlOf(type, data);
  }
}

// The server says which kind it found in the bytes; anything else is not shown.
function urlOf(type, data) {
  return URL.createObjectURL(
    new Blob([data], { type: KINDS.includes(type) ? type : "application/octet-stream" }));
}
