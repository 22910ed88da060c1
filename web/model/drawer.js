// SPDX-License-Identifier: MIT
//
// Pictures that wait to be sent, kept by the browser over a reload (IndexedDB; what the
// shelf takes is text, and little of it).  Whoever puts one here remembers its key; what
// nobody comes back for, since its tab was closed, is thrown away after a day.
//
// Every promise here may be rejected: there may be no room, or no IndexedDB at all.  The
// browser carries out what is asked one after the other, so what is put and removed at
// once is gone.

const ROOM = 64 * 1024 * 1024;  // bytes, for all tabs together
const AGE_MS = 24 * 3600 * 1000;

export class Drawer {
  // Keep a file for that user.
  async put(key, user, file) {
    const files = await this.#files();
    const there = await done(files.getAll());
    const old = there.filter((one) => Date.now() - one.time > AGE_MS);

    for (const one of old)
      files.delete(one.key);
    const used = there.reduce((sum, one) => sum + (old.includes(one) ? 0 : one.file.size), 0);

    if (used + file.size > ROOM)
      throw new Error("The drawer is full.");
    files.put({ key, user, file, time: Date.now() });
    await finished(files.transaction);
  }

  // The file; undefined when there is none.
  async get(key) {
    const file = (await done((await this.#files()).get(key)))?.file;

    return file instanceof Blob ? file : undefined;
  }

  async remove(key) {
    (await this.#files()).delete(key);
  }

  // All that was kept for a user.
  async forget(user) {
    const files = await this.#files();

    for (const one of await done(files.getAll()))
      if (one.user === user)
        files.delete(one.key);
  }

  async #files() {
    this.opened ??= open();
    return (await this.opened).transaction("files", "readwrite").objectStore("files");
  }
}

async function open() {
  const request = indexedDB.open("quintet-unsent", 1);

  request.onupgradeneeded = () => request.result.createObjectStore("files", { keyPath: "key" });
  return done(request);
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function finished(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
