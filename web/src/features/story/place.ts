import type { Chapter } from "./queries";

const kept = "signalbox-story";

/** The chapter that is read: the one of the address, else the one of before, else the first. */
export function placeIn(chapters: Chapter[], asked: string | undefined): number {
  for (const key of [asked, sessionStorage.getItem(kept)]) {
    const at = chapters.findIndex((chapter) => chapter.key === key);
    if (at >= 0) return at;
  }
  return 0;
}

/** Keeps the place for the bar on other pages. */
export function keepPlace(key: string): void {
  sessionStorage.setItem(kept, key);
}
