import "./story.css";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "@tanstack/react-router";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { storyPath } from "./paths";
import { placeIn } from "./place";
import { storyQuery } from "./queries";

/** A slim line above every page of the demo: which chapter is read, and the way on. */
export function StoryBar() {
  const story = useQuery(storyQuery(2000)).data;
  const { pathname } = useLocation();
  if (!story || pathname === storyPath(story.team)) return null;
  const at = placeIn(story.chapters, undefined);
  const chapter = story.chapters[at];
  const next = story.chapters[at + 1];
  if (!chapter) return null;
  const to = storyPath(story.team);
  return (
    <nav className="story-bar" aria-label="Story">
      <StatusGlyph status={chapter.done ? "succeeded" : chapter.busy ? "running" : "pending"} label={chapter.done ? "happened" : "to come"} />
      <span className="clip">
        <span className="muted num">
          {at + 1} of {story.chapters.length}
        </span>{" "}
        {chapter.title}
      </span>
      <Link className="btn small push" to={to} search={{ chapter: chapter.key } as never}>
        Story
      </Link>
      {next && (
        <Link className="btn small" to={to} search={{ chapter: next.key } as never}>
          Next
        </Link>
      )}
    </nav>
  );
}
